"""Structured logs: one JSON object a line on stderr, with whatever ids the hop has bound (reading_id, trade_id)."""

import logging
import sys

import structlog


def configure_logs(*, level: int = logging.INFO) -> None:
    """Sets structlog and the standard library's loggers up to write the same lines."""
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
    """What libraries say of what we say ourselves, or of nothing."""
    # with a traceback and again and again, it tells what the loops that need the database say in one line
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
    # nats-py's reader asks to keep a half-closed connection, and asyncio says each time that TLS has none
    logging.getLogger("asyncio").addFilter(lambda record: "eof_received" not in record.getMessage())
    for chatty in ("httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _hex_bytes(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for name, value in event.items():
        if isinstance(value, bytes):
            event[name] = value.hex()
    return event
