"""What a hostile client sends: bodies, parameters, parts of addresses, headers, methods."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

from scim.discovery import Capabilities
from scim.filter.tokens import MAX_BYTES
from scim.http import MAX_BODY_BYTES
from scim.openapi.document import describe
from scim.patch.operations import PATCH_URN
from scim.schema.table import Attribute, ResourceType, Type

DOCUMENT = describe("http://localhost", Capabilities())
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
TEXTS = ("\\u0000", "a\\u0000b", "\\ud800", "\\udfff\\ud800", "\\u2028")
"""Strings as JSON spells them: what no database keeps, and what few programs expect."""

_WITH = b'{"schemas":["x"],"userName":"a","displayName":"a",'
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "a depth bomb of lists": b"[" * 100_000,
    "a depth bomb of objects": b'{"a":' * 100_000,
    "a closed depth bomb": b"[" * 100_000 + b"]" * 100_000,
    "a nested value": _WITH + b'"urn:x:y":{"a":' + b"[" * 900 + b"]" * 900 + b"}}",
    "a huge exponent": b'{"schemas":["x"],"userName":1e400,"displayName":-1e400,"Operations":[1e400]}',
    "a huge number": _WITH + b'"urn:x:y":{"n":' + b"9" * 100_000 + b"}}",
    "not a number": b'{"schemas":["x"],"userName":NaN,"displayName":Infinity}',
    "keys that stand twice": b'{"schemas":["x"],"userName":"a","userName":[],"displayName":"a","displayName":{}}',
    "keys in two letter cases": _WITH + b'"SCHEMAS":7,"USERNAME":[],"DISPLAYNAME":1}',
    "an empty object": b"{}",
    "null": b"null",
    "a list": b"[]",
    "a string": b'"\\ud800"',
    "a number": b"1",
    "a surrogate as a key": _WITH + b'"\\ud800":"\\udfff","urn:\\ud800":{"a":1}}',
    "a NUL as a key": _WITH + b'"\\u0000":1,"urn:x:\\u0000":{"\\u0000":"\\u0000"}}',
    "no UTF-8": b'{"schemas":["x"],"userName":"\xff\xfe","displayName":"\xc0\x80"}',
    "a surrogate in UTF-8": b'{"schemas":["x"],"userName":"\xed\xa0\x80"}',
    "UTF-16": '{"schemas":["x"],"userName":"a"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"schemas":["x"],"userName":"a","displayName":"a"}',
    "something behind the end": b'{"schemas":["x"],"userName":"a","displayName":"a"} x',
    "an object that ends too early": b'{"schemas":["x"],"userName":"a"',
    "schemas of everything": b'{"schemas":[null,1,{},[],"\\u0000"],"Operations":[null,1,{},[]],"userName":"a"}',
    "operations of everything": json.dumps({"schemas": [PATCH_URN], "Operations": [None, 1, {}, [], "x"]}).encode(),
    "compressed": gzip.compress(b'{"schemas":["x"],"userName":"a"}'),
    "brackets to the last byte": b"[" * MAX_BODY_BYTES,
    "one string to the last byte": b'"' + b"\\" * (MAX_BODY_BYTES - 2) + b'"',
    "one byte too many": b" " * (MAX_BODY_BYTES + 1),
}

VALUES: dict[str, str] = {
    "nothing": "",
    "NUL": "%00",
    "NUL in a string": "userName%20eq%20%22%00%22",
    "an escaped NUL": "userName%20eq%20%22%5Cu0000%22",
    "half a surrogate pair": "%ED%A0%80",
    "an escaped half": "userName%20eq%20%22%5Cud800%22",
    "no UTF-8": "%FF%FE",
    "overlong UTF-8": "%C0%80",
    "a broken escape": "%",
    "a wrong escape": "%zz%u0041",
    "a huge number": "9" * 5_000,
    "a huge exponent": "1e400",
    "a negative number": "-9223372036854775809",
    "Arabic digits": "%D9%A3",
    "brackets": "(" * 4_000,
    "square brackets": "emails" + "[" * 4_000,
    "dots": "urn:x:" + "." * 4_000,
    "commas": "," * 8_000,
    "quotes": "%22" * 2_000,
    "the longest filter": "userName%20eq%20%22" + "x" * (MAX_BYTES - 14) + "%22",
    "a filter too long": "userName%20eq%20%22" + "x" * (MAX_BYTES - 13) + "%22",
    "a wildcard": "userName%20co%20%22%25_%5C%5C%22",
    "SQL": "userName%20eq%20%22'%20OR%201=1;--%22",
    "a path": "../../etc/passwd",
}

IDENTIFIERS = (
    *(
        "%00",
        "a%00b",
        "%ED%A0%80",
        "%FF",
        "%",
        "%zz",
        "%2F",
        "%2e%2e",
        "..",
        ".",
        ";",
        "'",
        '"',
        "%0d%0aX:1",
        "%F0%9F%99%82",
    ),
    *("x" * 36, "x" * 37, "x" * 8_000, "bulkId:x", ".search", "00000000-0000-0000-0000-000000000000", "%20", "+", "*"),
)

HEADERS: tuple[tuple[str, str], ...] = (
    *(
        ("Authorization", value)
        for value in ("", "Bearer", "Bearer ", "Bearer a b", "Basic !!", "Bearer \xff", "Bearer \0")
    ),
    *(("Authorization", value) for value in ("Bearer " + "x" * 60_000, "\xed\xa0\x80", "Digest x", "bearer,Bearer x")),
    *(
        ("Accept", value)
        for value in (";", ",", "*/*;q=0", "\xff", "a/b/c", "text/html", "application/json;q=x", "x" * 8_000)
    ),
    *(
        ("Content-Type", value)
        for value in ("", ";", "\xff", "text/plain", "application/json; charset=utf-7", "x" * 8_000)
    ),
    *(
        ("Content-Type", value)
        for value in ("application/json; charset=\xff", "multipart/form-data", "application/json;;=")
    ),
    *(("Content-Length", value) for value in ("", "abc", "-1", "1e3", "9" * 30, "0", "1", "+5", "\xb2")),
    *(
        ("If-Match", value)
        for value in ("", "*", '"', 'W/"', "\xff", "\0", ",", 'W/"' + "9" * 400 + '"', 'W/"1",' * 2_000)
    ),
    *(
        ("If-None-Match", value)
        for value in ("", '"', 'W/"', "\xff", "\0", ",", 'W/"' + "9" * 400 + '"', 'W/"1",' * 2_000)
    ),
    *(("X-Request-ID", value) for value in ("", "\0", "\xff", "x" * 8_000, "a\nb")),
    *(("Cookie", value) for value in ("sessionid=\xff", "csrftoken=\0", ";" * 4_000)),
    *(("Host", value) for value in ("evil.example", "", "a b", "[::1", "\xff", "localhost:99999999")),
    *(("X-HTTP-Method-Override", value) for value in ("DELETE", "\xff")),
    *(("Content-Encoding", value) for value in ("gzip", "br", "\xff")),
    ("Expect", "100-continue"),
    ("Transfer-Encoding", "chunked"),
    ("Range", "bytes=0-1"),
    ("Date", "tomorrow"),
)

VERBS = (
    "BREW",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "get",
    "",
    "X" * 8_000,
    "G\xcbT",
    "__class__",
    "http_method_names",
    "options",
)


def operations() -> list[tuple[str, str, bool]]:
    """List method, address and whether there is a body, of all that is described under a Tenant URL."""
    return [
        (method.upper(), path, "requestBody" in item[method])
        for path, item in DOCUMENT["paths"].items()
        for method in METHODS
        if method in item and not path.startswith(("/oauth", "/Me"))
    ]


def odd_resources(resource_type: ResourceType, text: str) -> Iterator[tuple[str, bytes]]:
    """Yield resources that each have ``text``, spelled as in JSON, in one place, for every place there is."""
    start = f'"schemas":["{resource_type.schema.urn}"],"userName":"a","displayName":"a"'
    for attribute in resource_type.attributes:
        for place, value in _places(attribute, text):
            yield place, f"{{{start},{value}}}".encode()
    for extension in resource_type.extensions:
        for attribute in extension.attributes:
            for place, value in _places(attribute, text):
                yield place, f'{{{start},"{extension.urn}":{{{value}}}}}'.encode()


def odd_operations(resource_type: ResourceType, text: str) -> Iterator[tuple[str, bytes]]:
    """Yield PATCHes that each have ``text``, spelled as in JSON, in one place."""
    for attribute in resource_type.attributes:
        for op in ("add", "replace", "remove"):
            yield attribute.name, _patch(f'"op":"{op}","path":"{attribute.name}","value":"{text}"')
            yield (
                attribute.name,
                _patch(f'"op":"{op}","path":"{attribute.name}[value eq \\"{text}\\"].value","value":"{text}"'),
            )
        yield attribute.name, _patch(f'"op":"add","value":{{{_places(attribute, text)[0][1]}}}')
    yield "op", _patch(f'"op":"{text}","path":"userName","value":"x"')
    yield "path", _patch(f'"op":"add","path":"{text}","value":"x"')
    yield "unknown extension", _patch(f'"op":"add","path":"urn:x:{resource_type.name}","value":{{"{text}":"{text}"}}')
    yield "unknown attribute", _patch(f'"op":"add","path":"urn:x:{resource_type.name}:a","value":["{text}"]')


def _patch(members: str) -> bytes:
    return f'{{"schemas":["{PATCH_URN}"],"Operations":[{{{members}}}]}}'.encode()


def _places(attribute: Attribute, text: str) -> list[tuple[str, str]]:
    if attribute.type is not Type.COMPLEX:
        value = f'["{text}"]' if attribute.multi_valued else f'"{text}"'
        return [(attribute.name, f'"{attribute.name}":{value}')]
    return [
        (f"{attribute.name}.{sub.name}", f'"{attribute.name}":{_wrapped(attribute, sub, text)}')
        for sub in attribute.sub_attributes
    ]


def _wrapped(attribute: Attribute, sub: Attribute, text: str) -> Any:
    other = '"value":"a",' if sub.name != "value" and attribute.sub("value") else ""
    element = f'{{{other}"{sub.name}":"{text}"}}'
    return f"[{element}]" if attribute.multi_valued else element
