"""Logs: a line per event on standard error, as JSON in production; with the request's id, without locals or secrets."""

import re
from typing import Any, Final

import structlog

_SECRET: Final = re.compile(r"\b(mfm[a-z]_)[A-Za-z0-9_-]{40,}")


def _without_secrets(_logger: Any, _method: str, event: Any) -> Any:
    """Take out what looks like a secret of ours: people put them into addresses, and those are logged."""
    return {name: _SECRET.sub(r"\1…", value) if isinstance(value, str) else value for name, value in event.items()}


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
    # Plain tracebacks: those that show local variables would show secrets.
    structlog.processors.format_exc_info,
    _without_secrets,
]


def configure(*, level: str, as_json: bool) -> dict[str, Any]:
    """Set structlog up, and return Django's ``LOGGING``, so that both write the same lines."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                "foreign_pre_chain": _SHARED,
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        # kombu says of each memory:// connection that it has no host name, httpx tells every request, and oauthlib
        # at DEBUG every token that it issues.
        "loggers": {
            "kombu.connection": {"level": "ERROR"},
            "httpx": {"level": "WARNING"},
            "oauthlib": {"level": "INFO"},
        },
        "root": {"handlers": ["stderr"], "level": level},
    }
