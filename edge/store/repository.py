"""The SQL of the running agent; each statement runs inside its caller's transaction. ``migrations`` has the tables."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge.wire.frames import Frame


@dataclass(frozen=True, slots=True)
class CounterRow:
    """A meter's newest registers that count, and the sequence of its last record."""

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
class KnownRow:
    """What a meter's next reading is judged by, as text; times of the monotonic clock in it are of this boot."""

    meter_id: str
    kernel_boot_id: bytes
    known: str


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A frame as the ledger holds it; ``id`` rises in the order of sealing."""

    id: int
    boot_id: bytes
    sequence: int
    frame: Frame
    sealed_at_ms: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many frames have no receipt, and when the oldest of them was sealed (ms since 1970; None without any)."""

    frames: int
    oldest_sealed_at_ms: int | None


class Repository:
    """Statements on one open connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def meta(self, name: str) -> bytes | None:
        """Returns a value kept by name, such as the hash of the last header; None when there is none."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def set_meta(self, name: str, value: bytes) -> None:
        """Keeps a value by name, in place of an older one."""
        self._db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
        )

    def meters(self) -> list[MeterRow]:
        """Returns every meter index that was ever given, in their order."""
        return [MeterRow(*row) for row in self._db.execute("SELECT * FROM meter ORDER BY meter_index")]

    def add_meter(self, row: MeterRow) -> None:
        """Gives an index, unless it is given already."""
        values = (row.meter_index, row.meter_id, row.serial, row.profile, row.profile_hash)
        self._db.execute("INSERT OR IGNORE INTO meter VALUES (?, ?, ?, ?, ?)", values)

    def counters(self) -> list[CounterRow]:
        """Returns the newest registers of every meter."""
        return [CounterRow(*row) for row in self._db.execute("SELECT * FROM counter")]

    def set_counters(self, rows: Iterable[CounterRow]) -> None:
        """Keeps the newest registers of these meters."""
        self._db.executemany(
            "INSERT OR REPLACE INTO counter VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (r.meter_id, r.meter_index, r.sequence, r.read_at_ms, r.import_wh, r.export_wh, r.serial)
                for r in rows
            ),
        )  # fmt: skip

    def known(self) -> list[KnownRow]:
        """Returns what every meter's next reading is judged by."""
        return [KnownRow(*row) for row in self._db.execute("SELECT * FROM known")]

    def set_known(self, rows: Iterable[KnownRow]) -> None:
        """Keeps what these meters' next readings are judged by."""
        self._db.executemany(
            "INSERT OR REPLACE INTO known VALUES (?, ?, ?)", ((r.meter_id, r.kernel_boot_id, r.known) for r in rows)
        )

    def messages(self) -> list[tuple[str, bytes]]:
        """Returns meter id and digest of the messages that are remembered, oldest first."""
        rows = self._db.execute("SELECT meter_id, digest FROM message ORDER BY id")
        return [(meter_id, bytes(digest)) for meter_id, digest in rows]

    def set_messages(self, added: Iterable[tuple[str, bytes]], forgotten: Iterable[tuple[str, bytes]]) -> None:
        """Remembers messages by meter id and digest, and forgets others."""
        self._db.executemany("INSERT OR REPLACE INTO message (meter_id, digest) VALUES (?, ?)", added)
        self._db.executemany("DELETE FROM message WHERE meter_id = ? AND digest = ?", forgotten)

    def add_records(self, bodies: Iterable[bytes]) -> None:
        """Appends encoded records, which wait for their frame."""
        self._db.executemany("INSERT INTO record (body) VALUES (?)", ((body,) for body in bodies))

    def unsealed(self, limit: int) -> list[tuple[int, bytes]]:
        """Returns id and bytes of the oldest records that wait for their frame."""
        return list(self._db.execute("SELECT id, body FROM record ORDER BY id LIMIT ?", (limit,)))

    def count_unsealed(self) -> int:
        """Returns how many records wait for their frame."""
        return int(self._db.execute("SELECT count(*) FROM record").fetchone()[0])

    def move_to_frame(self, frame: Frame, last_record_id: int) -> int:
        """Stores a frame in place of the records up to an id, which are sealed in it; returns the frame's id."""
        header = frame.header
        values = (header.boot_id, header.sequence, frame.header_bytes, frame.signature, frame.body, header.sealed_at_ms)
        self._db.execute("DELETE FROM record WHERE id <= ?", (last_record_id,))
        inserted = self._db.execute(
            "INSERT INTO frame (boot_id, sequence, header, signature, body, sealed_at_ms) VALUES (?, ?, ?, ?, ?, ?)",
            values,
        )
        return int(inserted.lastrowid or 0)

    def last_sequence(self, boot_id: bytes) -> int:
        """Returns the sequence of a boot's newest frame; 0 when there is none."""
        newest = self._db.execute("SELECT max(sequence) FROM frame WHERE boot_id = ?", (boot_id,)).fetchone()[0]
        return int(newest or 0)

    def waiting_frames(self, after_id: int, limit: int) -> list[StoredFrame]:
        """Returns frames without a receipt that follow an id, oldest first."""
        return self._frames("WHERE stored_at_ms IS NULL AND id > ? ORDER BY id LIMIT ?", (after_id, limit))

    def first_waiting(self, boot_id: bytes) -> int | None:
        """Returns the sequence of a boot's oldest frame without a receipt; None when all have one."""
        row = self._db.execute(
            "SELECT min(sequence) FROM frame WHERE stored_at_ms IS NULL AND boot_id = ?", (boot_id,)
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def waiting_of_others(self, boot_id: bytes, limit: int) -> list[StoredFrame]:
        """Returns the oldest frames without a receipt that belong to other boots than this one."""
        return self._frames("WHERE stored_at_ms IS NULL AND boot_id != ? ORDER BY id LIMIT ?", (boot_id, limit))

    def frames_of(self, boot_id: bytes, first: int, last: int, limit: int) -> list[StoredFrame]:
        """Returns frames of one boot by their sequences, both ends included, with a receipt or without."""
        return self._frames(
            "WHERE boot_id = ? AND sequence BETWEEN ? AND ? ORDER BY sequence LIMIT ?", (boot_id, first, last, limit)
        )

    def _frames(self, where: str, values: Sequence[object]) -> list[StoredFrame]:
        rows = self._db.execute(
            f"SELECT id, boot_id, sequence, header, signature, body, sealed_at_ms FROM frame {where}",  # noqa: S608 - our text
            values,
        )
        return [StoredFrame(i, boot, seq, Frame(head, sign, body), at) for i, boot, seq, head, sign, body, at in rows]

    def mark_stored(self, boot_id: bytes, first: int, last: int, now_ms: int) -> int:
        """Marks a range of frames as stored by the hub; returns how many were not marked yet."""
        return self._db.execute(
            "UPDATE frame SET stored_at_ms = ? WHERE boot_id = ? AND sequence BETWEEN ? AND ? AND stored_at_ms IS NULL",
            (now_ms, boot_id, first, last),
        ).rowcount

    def backlog(self) -> Backlog:
        """Counts the frames without a receipt."""
        return Backlog(
            *self._db.execute("SELECT count(*), min(sealed_at_ms) FROM frame WHERE stored_at_ms IS NULL").fetchone()
        )

    def waiting_sequences(self, limit: int) -> list[tuple[bytes, int]]:
        """Returns boot id and sequence of frames without a receipt, oldest first."""
        rows = self._db.execute(
            "SELECT boot_id, sequence FROM frame WHERE stored_at_ms IS NULL ORDER BY id LIMIT ?", (limit,)
        )
        return [(bytes(boot), int(sequence)) for boot, sequence in rows]

    def count_frames(self) -> int:
        """Returns how many frames there are."""
        return int(self._db.execute("SELECT count(*) FROM frame").fetchone()[0])

    def prune_stored(self, before_ms: int) -> int:
        """Deletes frames whose receipt is older; returns how many."""
        return self._db.execute("DELETE FROM frame WHERE stored_at_ms < ?", (before_ms,)).rowcount

    def used_bytes(self) -> int:
        """Returns the bytes of the file's pages that are in use."""
        names = ("page_count", "freelist_count", "page_size")
        pages, free_pages, page_bytes = (self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
        return int((pages - free_pages) * page_bytes)

    def evict(self, limit: int) -> list[tuple[bytes, int]]:
        """Deletes the oldest frames, those with a receipt first; returns boot id and sequence of those without one."""
        if self._db.execute(
            "DELETE FROM frame WHERE id IN (SELECT id FROM frame WHERE stored_at_ms IS NOT NULL ORDER BY id LIMIT ?)",
            (limit,),
        ).rowcount:
            return []
        evicted = self.waiting_sequences(limit)
        self._db.execute("DELETE FROM frame WHERE id IN (SELECT id FROM frame ORDER BY id LIMIT ?)", (len(evicted),))
        return evicted
