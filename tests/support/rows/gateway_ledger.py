"""A gateway's ledger for tests: a fixed key and boot id, records to fill it, and a disk that refuses a commit."""

import sqlite3
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from edge.runtime.clock import ManualClock
from edge.store.ledger import LEDGER_FILE, Ledger, Signer
from edge.wire.kinds import Record, Stop
from edge.wire.records import decode_record, encode_record

NOW_MS = 1_780_000_000_000
KEY = SigningKey(bytes(range(32)))
BOOT_ID = b"b" * 16


def new_ledger(folder: Path, clock: ManualClock | None = None, boot_id: bytes = BOOT_ID) -> Ledger:
    """An open ledger of the gateway gw-north."""
    ledger = Ledger(folder / LEDGER_FILE, Signer("gw-north", boot_id, KEY), clock or ManualClock(NOW_MS))
    ledger.open()
    return ledger


def stop_record(number: int) -> bytes:
    """An encoded record that is told from others by its time."""
    return encode_record(Stop(NOW_MS + number, "x" * 60))


def kept_records(ledger: Ledger) -> list[Record]:
    """All records of a ledger whose frames have no receipt, in their order."""
    with ledger.reading() as repository:
        sealed = [body for stored in repository.waiting_frames(0, 10_000) for body in stored.frame.records]
        return [decode_record(body) for body in (*sealed, *(body for _, body in repository.unsealed(100_000)))]


class FailingCommit:
    """Lets a ledger's next commit fail, ``before`` it became durable or ``after``."""

    def __init__(self, ledger: Ledger, when: str) -> None:
        self._db, self._when = ledger._opened(), when
        ledger._db = self  # type: ignore[assignment]

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            if self._when == "after":
                self._db.execute(sql)
            raise sqlite3.OperationalError("disk I/O error")
        return self._db.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)
