"""Logs as one JSON object per line on stderr; extra fields of a call become fields of the object."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """time, level, event, then the call's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in _PLAIN}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


LEVELS = ("debug", "info", "warning", "error")


def configure(level: str) -> None:
    """Sends every logger of ours to stderr; the libraries only speak when something is badly wrong.

    A level that there is none of is for the settings to name: until then it is info.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.CRITICAL, handlers=[handler], force=True)
    logging.getLogger("edge").setLevel(level.upper() if level in LEVELS else "INFO")
