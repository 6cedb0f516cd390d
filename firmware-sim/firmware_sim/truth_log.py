"""The truth log: a JSON line for every response or publication with energy registers, written after it was sent."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from firmware_sim.errors import TruthError

MAX_BYTES = 256 * 1024 * 1024

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServedReading:
    """What a meter served, when (ms since 1970) and how; an energy that was not in the response is None."""

    t_ms: int
    meter: str
    import_wh: int | None
    export_wh: int | None
    active_power_w: int
    via: Literal["modbus", "mqtt"]
    payload_ms: int | None = None
    acknowledged: bool = True

    def line(self) -> str:
        """Encodes a line of the log; it has ``acknowledged`` only when the broker did not acknowledge."""
        fields: dict[str, object] = {
            "t_ms": self.t_ms,
            "meter": self.meter,
            "import_wh": self.import_wh,
            "export_wh": self.export_wh,
            "active_power_w": self.active_power_w,
            "via": self.via,
        }
        if self.payload_ms is not None:
            fields["payload_ms"] = self.payload_ms
        if not self.acknowledged:
            fields["acknowledged"] = False
        return json.dumps(fields, separators=(",", ":")) + "\n"


class TruthLog:
    """Appends lines to a file; at ``max_bytes`` it becomes FILE.1 and a new one begins. None as path logs nothing.

    Raises:
        TruthError: the file can not be opened.
    """

    def __init__(self, path: Path | None, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._file: TextIO | None = None
        self._open()

    def record(self, served: ServedReading) -> None:
        """Writes one line and flushes it.

        Raises:
            TruthError: the file can not be written.
        """
        if self._file is None or self._path is None:
            return
        try:
            self._file.write(served.line())
            self._file.flush()
            if self._file.tell() >= self._max_bytes:
                self.close()
                self._path.replace(self._path.with_name(self._path.name + ".1"))
                self._open()
        except OSError as error:
            raise TruthError(self._advice(error)) from error

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> None:
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise TruthError(self._advice(error)) from error

    def _advice(self, error: OSError) -> str:
        return f"The truth log {self._path} can not be written ({error.strerror}): free the disk or name another"
