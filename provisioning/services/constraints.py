"""Which of our constraints the database says was violated."""

from django.db import IntegrityError

from provisioning.models import LoginAccount, UserGroup

_MODELS = (LoginAccount, UserGroup)


def violated(error: IntegrityError) -> str:
    """Return the name of the unique constraint behind ``error``, or an empty text when it is none of the directory's.

    PostgreSQL names the constraint; SQLite lists its columns (``UNIQUE constraint failed: table.a, table.b``).
    """
    text = str(error)
    for model in _MODELS:
        for constraint in model._meta.constraints:  # noqa: SLF001
            columns = ", ".join(f"{model._meta.db_table}.{_column(model, name)}" for name in constraint.fields)  # type: ignore[attr-defined]  # noqa: SLF001
            if constraint.name in text or text.endswith(columns):
                return str(constraint.name)
    return ""


def _column(model: type[LoginAccount] | type[UserGroup], field: str) -> str:
    return str(model._meta.get_field(field).column)  # type: ignore[union-attr]  # noqa: SLF001
