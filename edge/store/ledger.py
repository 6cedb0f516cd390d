"""The ledger: SQLite with one writer. What a commit returned from is durable; frames are sealed from durable rows only.

Everything here blocks and belongs to one thread; ``edge.store.ledger_writer`` is the asynchronous side.
"""

import contextlib
import logging
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from nacl.signing import SigningKey

from edge.errors import StorageError
from edge.runtime.clock import Clock
from edge.store.migrations import APPLICATION_ID, migrate
from edge.store.repository import CounterRow, MeterRow, Repository, StoredFrame
from edge.wire.frames import MAX_FRAME_BYTES, MAX_RECORDS, NO_PREVIOUS, seal
from edge.wire.kinds import BufferQuarantine, Gap
from edge.wire.ranges import ranges_of
from edge.wire.receipts import Receipt
from edge.wire.records import encode_record

LEDGER_FILE = "ledger.sqlite"
EVICT_FRAMES = 256
BUSY_S = 0.5
"""Nobody else writes here, and readers do not lock a writer out; whoever holds the file must not hold us."""
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LAST_HEADER = "last_header_hash"
FIRST_INDEX = "first_meter_index"
"""Kept after a quarantine: lower meter indexes may have been given in the file that was lost."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Signer:
    """Who seals: one gateway in one boot of the agent."""

    gateway_id: str
    boot_id: bytes
    key: SigningKey


@dataclass
class Batch:
    """What one commit makes durable."""

    records: list[bytes] = field(default_factory=list)
    meters: list[MeterRow] = field(default_factory=list)
    counters: dict[str, CounterRow] = field(default_factory=dict)
    receipts: Sequence[Receipt] = ()
    dropped: int = 0
    """Readings that memory had no room for while the disk refused: a signed record says so."""

    def __bool__(self) -> bool:
        return bool(self.records or self.meters or self.counters or self.receipts or self.dropped)

    def absorb(self, later: "Batch") -> None:
        """Takes in what a later batch would make durable."""
        self.records += later.records
        self.meters += later.meters
        self.counters |= later.counters
        self.receipts = [*self.receipts, *later.receipts]
        self.dropped += later.dropped


class Ledger:
    """One open file. A broken one is put aside, and a signed record says so."""

    def __init__(self, path: Path, signer: Signer, clock: Clock) -> None:
        self.path = path
        self._signer = signer
        self._clock = clock
        self._db: sqlite3.Connection | None = None
        self._sequence = 0
        self._last_hash = NO_PREVIOUS
        self.quarantined: list[BufferQuarantine] = []

    @property
    def last_sequence(self) -> int:
        """Sequence of this boot's newest frame; 0 before the first."""
        return self._sequence

    def open(self) -> None:
        """Opens or makes the file; a broken one is quarantined first.

        Raises:
            StorageError: the folder can not be written now.
        """
        with self._storage_errors():
            try:
                self._db = _connect(self.path)
            except sqlite3.DatabaseError as error:
                if not _is_broken(error):
                    raise
                self._quarantine(str(error))
                self._db = _connect(self.path)
            for record in self.quarantined:
                with self._transaction() as repository:
                    repository.add_records([encode_record(record)])
                    repository.set_meta(FIRST_INDEX, (256 + secrets.randbelow(50_000)).to_bytes(4, "big"))
            self.quarantined.clear()

    def close(self) -> None:
        """Closes the file."""
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def commit(self, batch: Batch) -> None:
        """Makes a batch durable, all of it or nothing.

        Raises:
            StorageError: not now; the same batch may be tried again.
        """
        with self._transaction() as repository:
            for meter in batch.meters:
                repository.add_meter(meter)
            repository.set_counters(batch.counters.values())
            repository.add_records(batch.records)
            if batch.dropped:
                reason = f"memory was full while the disk refused: {batch.dropped} readings dropped"
                repository.add_records([encode_record(BufferQuarantine(self._now_ms(), reason, "", 0))])
            self._note(repository, batch.receipts)

    def seal(self, receipts: Sequence[Receipt] = ()) -> list[StoredFrame]:
        """Seals every waiting record into frames, and notes receipts in the same commit.

        Raises:
            StorageError: not now.
        """
        sealed: list[StoredFrame] = []
        with self._transaction() as repository:
            self._note(repository, receipts)
            # A commit that said it failed may have become durable all the same, or its frames may be pruned already
            sequence = max(self._sequence, repository.last_sequence(self._signer.boot_id))
            previous = repository.meta(_LAST_HEADER) or self._last_hash
            while rows := repository.unsealed(MAX_RECORDS):
                sequence += 1
                sealed.append(self._seal(repository, rows, sequence, previous))
                previous = sealed[-1].frame.header_hash
            if sealed:
                repository.set_meta(_LAST_HEADER, previous)
        self._sequence, self._last_hash = sequence, previous
        return sealed

    def _note(self, repository: Repository, receipts: Sequence[Receipt]) -> None:
        now_ms = self._clock.now_ms()
        for receipt in receipts:
            for boot_id, ranges in receipt.stored.items():
                for first, last in ranges:
                    repository.mark_stored(boot_id, first, last, now_ms)

    def _seal(
        self, repository: Repository, rows: Sequence[tuple[int, bytes]], sequence: int, previous: bytes
    ) -> StoredFrame:
        rows = _that_fit(rows)
        frame = seal(
            gateway_id=self._signer.gateway_id,
            boot_id=self._signer.boot_id,
            sequence=sequence,
            previous_hash=previous,
            sealed_at_ms=self._now_ms(),
            records=[body for _, body in rows],
            signing_key=self._signer.key,
        )
        place = repository.move_to_frame(frame, rows[-1][0])
        return StoredFrame(place, self._signer.boot_id, sequence, frame, frame.header.sealed_at_ms)

    def prune(self, *, keep_ms: int, max_bytes: int) -> list[Gap]:
        """Lets go what the hub has had for long enough; above the cap also what it has not, leaving gap records.

        Raises:
            StorageError: not now.
        """
        gaps: list[Gap] = []
        with self._transaction() as repository:
            repository.prune_stored(self._clock.now_ms() - keep_ms)
            while repository.used_bytes() > max_bytes and repository.count_frames():
                gaps += self._gaps(repository.evict(EVICT_FRAMES))
            repository.add_records([encode_record(gap) for gap in gaps])
        return gaps

    def _gaps(self, gone: Sequence[tuple[bytes, int]]) -> list[Gap]:
        now_ms = self._now_ms()
        return [
            Gap(boot_id, first, last, "evicted: ledger at its size limit", now_ms)
            for boot_id, group in groupby(gone, key=lambda pair: pair[0])
            for first, last in ranges_of(sequence for _, sequence in group)
        ]

    @contextlib.contextmanager
    def reading(self) -> Iterator[Repository]:
        """The repository for queries.

        Raises:
            StorageError: the file can not be read now.
        """
        with self._storage_errors():
            yield Repository(self._opened())

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Repository]:
        with self._storage_errors():
            db = self._opened()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield Repository(db)
                db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _storage_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.Error) and _is_broken(error):
                # Where even that is refused, the next try finds the same file and tries again
                with contextlib.suppress(OSError):
                    self._quarantine(str(error))
            self.close()
            raise StorageError(
                f"{self.path} can not be written ({error}): make room, check the mount and the owner of its folder"
            ) from error

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            self.open()
        assert self._db is not None  # noqa: S101 - open() raises or opens
        return self._db

    def _now_ms(self) -> int:
        return max(0, self._clock.now_ms())

    def _quarantine(self, reason: str) -> None:
        """Puts the broken file aside, with what SQLite keeps beside it."""
        self.close()
        now_ms = self._now_ms()
        aside = self.path.with_name(f"{self.path.name}.quarantine-{now_ms}")
        size = self.path.stat().st_size if self.path.exists() else 0
        for suffix in ("", "-wal", "-shm"):
            beside = self.path.with_name(self.path.name + suffix)
            if beside.exists():
                beside.rename(aside.with_name(aside.name + suffix))
        self.quarantined.append(BufferQuarantine(now_ms, _plain(reason), aside.name, size))
        log.error("ledger was unusable and put aside", extra={"reason": reason, "file": str(aside), "bytes": size})


def _plain(text: str) -> str:
    return "".join(letter if 0x20 <= ord(letter) < 0x7F else "?" for letter in text)[:120]


def _that_fit(rows: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """As many records as a frame can hold in bytes."""
    room, found = MAX_FRAME_BYTES - 1024, []
    for place, body in rows:
        room -= len(body) + 3
        if room < 0:
            break
        found.append((place, body))
    return found


class UnsoundError(sqlite3.DatabaseError):
    """The file opens, but is none of ours or fails SQLite's own check."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def _is_broken(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN


def _connect(path: Path) -> sqlite3.Connection:
    """Opens and checks the file.

    Raises:
        sqlite3.Error, OSError: it can not be opened, or is broken.
    """
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_S)
    try:
        path.chmod(0o600)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        _check(db)
        migrate(db)
    except BaseException:
        db.close()
        raise
    return db


def _check(db: sqlite3.Connection) -> None:
    (made_by,) = db.execute("PRAGMA application_id").fetchone()
    (fault,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if made_by not in (0, APPLICATION_ID) or fault != "ok":
        raise UnsoundError(f"not a sound ledger: {fault}")
