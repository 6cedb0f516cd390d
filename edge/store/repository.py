"""The agent's SQL on its ledger: prepared statements, each inside its caller's transaction; tables: ``migrations``."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from edge.wire.errors import WireError
from edge.wire.frames import Frame


@dataclass(frozen=True, slots=True)
class CounterRow:
    """What a meter said last."""

    meter_id: str
    meter_index: int
    sequence: int
    read_at_ms: int
    import_wh: int
    export_wh: int
    serial: str


@dataclass(frozen=True, slots=True)
class MeterRow:
    """What a meter index means."""

    meter_index: int
    meter_id: str
    serial: str
    profile: str
    profile_hash: bytes


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A frame with its place in the ledger."""

    id: int
    boot_id: bytes
    sequence: int
    frame: Frame
    sealed_at_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Frames without a receipt, in numbers."""

    frames: int
    oldest_ms: int | None


class Repository:
    """Statements on one open connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def meta(self, name: str) -> bytes | None:
        """A value that was kept, such as the last header's hash."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def set_meta(self, name: str, value: bytes) -> None:
        """Keeps a value."""
        self._db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
        )

    def meters(self) -> list[MeterRow]:
        """Every index that was ever given."""
        return [MeterRow(*row) for row in self._db.execute("SELECT * FROM meter ORDER BY meter_index")]

    def add_meter(self, row: MeterRow) -> None:
        """Gives an index."""
        values = (row.meter_index, row.meter_id, row.serial, row.profile, row.profile_hash)
        self._db.execute("INSERT OR IGNORE INTO meter VALUES (?, ?, ?, ?, ?)", values)

    def counters(self) -> list[CounterRow]:
        """What every meter said last."""
        return [CounterRow(*row) for row in self._db.execute("SELECT * FROM counter")]

    def set_counters(self, rows: Iterable[CounterRow]) -> None:
        """What meters say now."""
        self._db.executemany(
            "INSERT OR REPLACE INTO counter VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (r.meter_id, r.meter_index, r.sequence, r.read_at_ms, r.import_wh, r.export_wh, r.serial)
                for r in rows
            ),
        )  # fmt: skip

    def add_records(self, bodies: Iterable[bytes]) -> None:
        """Appends records that wait for their frame."""
        self._db.executemany("INSERT INTO record (body) VALUES (?)", ((body,) for body in bodies))

    def unsealed(self, limit: int) -> list[tuple[int, bytes]]:
        """The oldest records that wait for their frame."""
        return list(self._db.execute("SELECT id, body FROM record ORDER BY id LIMIT ?", (limit,)))

    def count_unsealed(self) -> int:
        """How many records wait for their frame."""
        return int(self._db.execute("SELECT count(*) FROM record").fetchone()[0])

    def move_to_frame(self, frame: Frame, last_record_id: int) -> int:
        """Puts sealed records away with their frame; returns the frame's place."""
        header = frame.header
        values = (header.boot_id, header.sequence, frame.header_bytes, frame.signature, frame.body, header.sealed_at_ms)
        self._db.execute("DELETE FROM record WHERE id <= ?", (last_record_id,))
        done = self._db.execute(
            "INSERT INTO frame (boot_id, sequence, header, signature, body, sealed_at_ms) VALUES (?, ?, ?, ?, ?, ?)",
            values,
        )
        return int(done.lastrowid or 0)

    def last_sequence(self, boot_id: bytes) -> int:
        """Sequence of a boot's newest frame; 0 when there is none."""
        newest = self._db.execute("SELECT max(sequence) FROM frame WHERE boot_id = ?", (boot_id,)).fetchone()[0]
        return int(newest or 0)

    def waiting_frames(self, after_id: int, limit: int) -> list[StoredFrame]:
        """Frames without a receipt, oldest first."""
        return self._frames("WHERE stored_at_ms IS NULL AND id > ? ORDER BY id LIMIT ?", (after_id, limit))

    def range_of_frames(self, boot_id: bytes, first: int, last: int, limit: int) -> list[StoredFrame]:
        """Frames of one boot, whatever became of them."""
        return self._frames(
            "WHERE boot_id = ? AND sequence BETWEEN ? AND ? ORDER BY sequence LIMIT ?", (boot_id, first, last, limit)
        )

    def recent_bodies(self, since_ms: int) -> list[bytes]:
        """The newest records, sealed since then or not yet, oldest first; a damaged frame has none."""
        frames = self._frames("WHERE sealed_at_ms >= ? ORDER BY id DESC LIMIT 2000", (since_ms,))
        bodies: list[bytes] = []
        for stored in reversed(frames):
            with suppress(WireError):
                bodies += stored.frame.records
        return bodies + [body for _, body in self.unsealed(20_000)]

    def _frames(self, where: str, values: Sequence[object]) -> list[StoredFrame]:
        rows = self._db.execute(
            f"SELECT id, boot_id, sequence, header, signature, body, sealed_at_ms FROM frame {where}",  # noqa: S608 - our text
            values,
        )
        return [StoredFrame(i, boot, seq, Frame(head, sign, body), at) for i, boot, seq, head, sign, body, at in rows]

    def mark_stored(self, boot_id: bytes, first: int, last: int, now_ms: int) -> int:
        """Notes the hub's receipt; returns how many frames it was news for."""
        return self._db.execute(
            "UPDATE frame SET stored_at_ms = ? WHERE boot_id = ? AND sequence BETWEEN ? AND ? AND stored_at_ms IS NULL",
            (now_ms, boot_id, first, last),
        ).rowcount

    def waiting(self) -> Waiting:
        """Frames without a receipt, in numbers."""
        return Waiting(
            *self._db.execute("SELECT count(*), min(sealed_at_ms) FROM frame WHERE stored_at_ms IS NULL").fetchone()
        )

    def waiting_sequences(self, limit: int) -> list[tuple[bytes, int]]:
        """Boot and sequence of frames without a receipt, oldest first."""
        rows = self._db.execute(
            "SELECT boot_id, sequence FROM frame WHERE stored_at_ms IS NULL ORDER BY id LIMIT ?", (limit,)
        )
        return [(bytes(boot), int(sequence)) for boot, sequence in rows]

    def count_frames(self) -> int:
        """All frames."""
        return int(self._db.execute("SELECT count(*) FROM frame").fetchone()[0])

    def prune_stored(self, before_ms: int) -> int:
        """Lets frames go whose receipt is older."""
        return self._db.execute("DELETE FROM frame WHERE stored_at_ms < ?", (before_ms,)).rowcount

    def used_bytes(self) -> int:
        """Bytes of the file that hold something."""
        values = [
            self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        ]
        return int((values[0] - values[1]) * values[2])

    def evict(self, limit: int) -> list[tuple[bytes, int]]:
        """Drops the oldest frames, those with a receipt first; returns boot and sequence of those without."""
        if self._db.execute(
            "DELETE FROM frame WHERE id IN (SELECT id FROM frame WHERE stored_at_ms IS NOT NULL ORDER BY id LIMIT ?)",
            (limit,),
        ).rowcount:
            return []
        gone = self.waiting_sequences(limit)
        self._db.execute("DELETE FROM frame WHERE id IN (SELECT id FROM frame ORDER BY id LIMIT ?)", (len(gone),))
        return gone
