"""What PostgreSQL and SQLite spell differently: JSON, text, and moments as text.

Keys of JSON paths are names of the schema table, never a client's text, so they stand in the SQL itself.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

from scim.filter.ast import Operator


class Dialect(Protocol):
    """``texts`` and ``beginning`` take the SQL of a text; ``texts`` end with placeholders for the same value.

    ``scalar_placeholder`` stands for a value of JSON that was read before.
    """

    by_code_point: ClassVar[str]
    beginning: ClassVar[str]
    json_comparand: ClassVar[str]
    scalar_placeholder: ClassVar[str]
    texts: ClassVar[Mapping[Operator, str]]

    def json_text(self, holder: str, path: Sequence[str]) -> str: ...
    def json_scalar(self, holder: str, path: Sequence[str]) -> str: ...
    def json_elements(self, holder: str, path: Sequence[str]) -> str: ...
    def json_preferred(self, holder: str, path: Sequence[str]) -> str: ...
    def json_keys(self, holder: str) -> str: ...
    def scalar(self, flag: str) -> str: ...
    def time_text(self, column: str) -> str: ...
    def moment(self, at: datetime) -> Any: ...


class PostgreSQL:
    """Never casts JSON to another type, so that no document, however odd, can make a statement fail."""

    by_code_point: ClassVar[str] = ' COLLATE "C"'
    beginning: ClassVar[str] = "left({text}, {length})"
    json_comparand: ClassVar[str] = "to_jsonb(%s)"
    scalar_placeholder: ClassVar[str] = "CAST(%s AS jsonb)"
    texts: ClassVar[Mapping[Operator, str]] = {
        Operator.CO: "strpos({text}, %s) > 0",
        Operator.SW: "starts_with({text}, %s)",
        Operator.EW: "right({text}, length(%s)) = %s",
    }

    def json_text(self, holder: str, path: Sequence[str]) -> str:
        return f"({holder} #>> '{{{','.join(path)}}}')"

    def json_scalar(self, holder: str, path: Sequence[str]) -> str:
        return f"({holder} #> '{{{','.join(path)}}}')"

    def json_elements(self, holder: str, path: Sequence[str]) -> str:
        return f"jsonb_path_query({holder}, '{_json_path(path)}[*]') AS element(value)"

    def json_preferred(self, holder: str, path: Sequence[str]) -> str:
        primary = f"jsonb_path_query_first({holder}, '{_json_path(path)}[*] ? (@.\"primary\" == true)')"
        return f"COALESCE({primary}, {holder} #> '{{{','.join(path)},0}}')"

    def json_keys(self, holder: str) -> str:
        return f"SELECT key AS value FROM jsonb_object_keys({holder}) AS keys(key)"  # noqa: S608  a column's name

    def scalar(self, flag: str) -> str:
        return f"to_jsonb({flag})"

    def time_text(self, column: str) -> str:
        return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

    def moment(self, at: datetime) -> Any:
        return at


class SQLite:
    """Compares text by its bytes, which in UTF-8 is by code point, without being told."""

    by_code_point: ClassVar[str] = ""
    beginning: ClassVar[str] = "substr({text}, 1, {length})"
    json_comparand: ClassVar[str] = "%s"
    scalar_placeholder: ClassVar[str] = "%s"
    texts: ClassVar[Mapping[Operator, str]] = {
        Operator.CO: "instr({text}, %s) > 0",
        Operator.SW: "substr({text}, 1, length(%s)) = %s",
        Operator.EW: "substr({text}, -length(%s)) = %s",
    }

    def json_text(self, holder: str, path: Sequence[str]) -> str:
        return f"json_extract({holder}, '{_json_path(path)}')"

    json_scalar = json_text

    def json_elements(self, holder: str, path: Sequence[str]) -> str:
        return f"json_each({holder}, '{_json_path(path)}') AS element"

    def json_preferred(self, holder: str, path: Sequence[str]) -> str:
        others_last = "json_extract(element.value, '$.primary') IS NOT 1, element.key"
        return f"(SELECT element.value FROM {self.json_elements(holder, path)} ORDER BY {others_last} LIMIT 1)"  # noqa: S608

    def json_keys(self, holder: str) -> str:
        return f"SELECT key AS value FROM json_each({holder})"  # noqa: S608  a column's name

    def scalar(self, flag: str) -> str:
        return flag

    def time_text(self, column: str) -> str:
        """Django writes the fraction of a second only where there is one."""
        fraction = f"CASE WHEN length({column}) = 19 THEN '.000000Z' ELSE 'Z' END"
        return f"(replace({column}, ' ', 'T') || {fraction})"

    def moment(self, at: datetime) -> Any:
        return str(at.astimezone(UTC).replace(tzinfo=None))


def _json_path(path: Sequence[str]) -> str:
    return "$" + "".join(f'."{key}"' for key in path)


DIALECTS: Mapping[str, Dialect] = {"postgresql": PostgreSQL(), "sqlite": SQLite()}
