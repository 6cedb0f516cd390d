"""The truth log: a JSON line for every response or publication with energy registers, written after it was sent.

In a scenario a line says the true energy as well, and lines between them say when a fault began and ended.
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from firmware_sim.errors import TruthError
from firmware_sim.scenario.answering import Truth
from firmware_sim.scenario.play import Label

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
    truth: Truth | None = None
    """In a scenario: what really flowed and was counted; registers are None where nothing was answered."""

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
        if self.truth is not None:
            fields |= self.truth.fields()
        return json.dumps(fields, separators=(",", ":")) + "\n"


def label_line(label: Label) -> str:
    """Encodes that a fault began, or ended when ``to_ms`` is there: a line that carries no registers."""
    to_ms = None if label.to_s is None else label.to_s * 1000
    fields = {
        "t_ms": label.from_s * 1000 if to_ms is None else to_ms,
        "meter": label.meter,
        "import_wh": None,
        "export_wh": None,
        "via": "scenario",
        "fault": label.fault,
        "kind": label.kind,
        "from_ms": label.from_s * 1000,
        "to_ms": to_ms,
        "answers": label.answers,
    }
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
        """Writes the line of a reading and flushes it.

        Raises:
            TruthError: the file can not be written.
        """
        self._write(served.line())

    def label(self, label: Label) -> None:
        """Writes that a fault of the scenario began or ended.

        Raises:
            TruthError: the file can not be written.
        """
        self._write(label_line(label))

    def _write(self, line: str) -> None:
        if self._file is None or self._path is None:
            return
        try:
            self._file.write(line)
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
