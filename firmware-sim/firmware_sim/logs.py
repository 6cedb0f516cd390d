"""Writes logs on stderr, as text for people or as one JSON object a line."""

import json
import logging
import sys
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """Formats a record as ``time`` (RFC 3339, UTC), ``level``, ``event``, and ``error`` with a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {"time": time, "level": record.levelname.lower(), "event": record.getMessage()}
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields)


def configure_logs(*, as_json: bool) -> None:
    """Sends all logs from INFO up to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else logging.Formatter("peerwatt-sim: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
