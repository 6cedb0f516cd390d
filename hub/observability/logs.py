"""Structured logs: one JSON object per line on stderr, with the ids that are bound to it (reading_id, trade_id).

Every module of the hub logs with ``log = structlog.get_logger()``: a constant event text, values as keyword fields.
"""

import logging
import sys

import structlog


def configure_logs(*, level: int = logging.INFO) -> None:
    """Configures structlog and the standard library's loggers to write the same lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _hex_bytes,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    quiet_libraries()
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def quiet_libraries() -> None:
    """Silences libraries whose lines repeat ours or say nothing."""
    # it repeats with tracebacks what the loops that need the database log in one line
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
    # nats-py keeps half-closed connections, and asyncio warns each time that TLS can not
    logging.getLogger("asyncio").addFilter(lambda record: "eof_received" not in record.getMessage())
    for library in ("httpx", "httpcore"):
        logging.getLogger(library).setLevel(logging.WARNING)


def _hex_bytes(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for name, value in event.items():
        if isinstance(value, bytes):
            event[name] = value.hex()
    return event
