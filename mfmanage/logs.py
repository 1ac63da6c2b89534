"""Logs: one line per event on standard error, as JSON in production; with the request's id, without locals."""

from typing import Any

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
    # Plain tracebacks: those that show local variables would show secrets.
    structlog.processors.format_exc_info,
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
        # kombu says of each memory:// connection that it has no host name, httpx tells every request.
        "loggers": {"kombu.connection": {"level": "ERROR"}, "httpx": {"level": "WARNING"}},
        "root": {"handlers": ["stderr"], "level": level},
    }
