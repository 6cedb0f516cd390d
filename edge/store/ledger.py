"""The ledger: one SQLite file with one writer. Frames are sealed from records that are durable already.

Everything here blocks and runs in one thread, that of ``ledger_writer``.
"""

import contextlib
import logging
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from nacl.signing import SigningKey

from edge.errors import StorageError
from edge.runtime.clock import Clock
from edge.store.batch import Batch
from edge.store.migrations import APPLICATION_ID, migrate
from edge.store.repository import Repository, StoredFrame
from edge.wire.frames import MAX_RECORDS, NO_PREVIOUS, seal
from edge.wire.kinds import BufferQuarantine, Gap
from edge.wire.ranges import ranges_of
from edge.wire.receipts import Receipt
from edge.wire.records import encode_record

LEDGER_FILE = "ledger.sqlite"
EVICT_FRAMES = 256
BUSY_S = 0.5
"""How long a lock is waited for. Nobody else writes here, and with a write-ahead log a reader locks no writer out."""
_CORRUPT_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LAST_HEADER = "last_header_hash"
FIRST_INDEX = "first_meter_index"
"""Kept after a quarantine: lower meter indexes may have been given in the file that was lost."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Signer:
    """Who signs frames: a gateway, the boot id of this start of its agent (16 bytes), and the frame key."""

    gateway_id: str
    boot_id: bytes
    key: SigningKey


class Ledger:
    """One open ledger. A corrupt file is quarantined, that is renamed, and a signed record in the next one says so."""

    def __init__(self, path: Path, signer: Signer, clock: Clock) -> None:
        self.path = path
        self._signer = signer
        self._clock = clock
        self._db: sqlite3.Connection | None = None
        self._sequence = 0
        self._last_hash = NO_PREVIOUS
        self.quarantined: list[BufferQuarantine] = []
        """Records of files that were quarantined and have no successor yet."""

    @property
    def last_sequence(self) -> int:
        """The sequence of this boot's newest frame; 0 before the first."""
        return self._sequence

    def open(self) -> None:
        """Opens or creates the file; a corrupt one is quarantined first.

        Raises:
            StorageError: the file can not be opened, created or renamed now.
        """
        with self._storage_errors():
            try:
                self._db = _connect(self.path)
            except sqlite3.DatabaseError as error:
                if not _is_corrupt(error):
                    raise
                self._quarantine(str(error))
                self._db = _connect(self.path)
            for record in self.quarantined:
                with self._transaction() as repository:
                    repository.add_records([encode_record(record)])
                    repository.set_meta(FIRST_INDEX, (256 + secrets.randbelow(50_000)).to_bytes(4, "big"))
            self.quarantined.clear()

    def close(self) -> None:
        """Closes the file; the next call opens it again."""
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def commit(self, batch: Batch) -> None:
        """Makes a batch durable in one transaction.

        Raises:
            StorageError: the disk refuses; nothing of the batch is lost, and it may be tried again.
        """
        with self._transaction() as repository:
            for meter in batch.meters:
                repository.add_meter(meter)
            repository.set_counters(batch.counters.values())
            repository.set_known(batch.known.values())
            repository.set_messages(batch.messages, batch.forgotten)
            repository.add_records(batch.records)
            if batch.dropped:
                reason = f"memory was full while the disk refused: {batch.dropped} readings dropped"
                repository.add_records([encode_record(BufferQuarantine(self._now_ms(), reason, "", 0))])
            self._mark_stored(repository, batch.receipts)

    def seal(self, receipts: Sequence[Receipt] = ()) -> list[StoredFrame]:
        """Seals all records that wait into frames, and marks what receipts name as stored, in one transaction.

        Raises:
            StorageError: the disk refuses; nothing is sealed.
        """
        sealed: list[StoredFrame] = []
        with self._transaction() as repository:
            self._mark_stored(repository, receipts)
            # A commit that said it failed may have become durable all the same, or its frames may be pruned already
            sequence = max(self._sequence, repository.last_sequence(self._signer.boot_id))
            previous = repository.meta(_LAST_HEADER) or self._last_hash
            # A frame has room for as many records of any length
            while rows := repository.unsealed(MAX_RECORDS):
                sequence += 1
                sealed.append(self._seal_frame(repository, rows, sequence, previous))
                previous = sealed[-1].frame.header_hash
            if sealed:
                repository.set_meta(_LAST_HEADER, previous)
        self._sequence, self._last_hash = sequence, previous
        return sealed

    def _mark_stored(self, repository: Repository, receipts: Sequence[Receipt]) -> None:
        now_ms = self._clock.now_ms()
        for receipt in receipts:
            for boot_id, ranges in receipt.stored.items():
                for first, last in ranges:
                    repository.mark_stored(boot_id, first, last, now_ms)

    def _seal_frame(
        self, repository: Repository, rows: Sequence[tuple[int, bytes]], sequence: int, previous: bytes
    ) -> StoredFrame:
        frame = seal(
            gateway_id=self._signer.gateway_id,
            boot_id=self._signer.boot_id,
            sequence=sequence,
            previous_hash=previous,
            sealed_at_ms=self._now_ms(),
            records=[body for _, body in rows],
            signing_key=self._signer.key,
        )
        frame_id = repository.move_to_frame(frame, rows[-1][0])
        return StoredFrame(frame_id, self._signer.boot_id, sequence, frame, frame.header.sealed_at_ms)

    def prune(self, *, keep_ms: int, max_bytes: int) -> list[Gap]:
        """Deletes frames that the hub has had for ``keep_ms``; above ``max_bytes`` also younger ones.

        Those with a receipt go first. Returns the gap records of frames that the hub never had; they are in the ledger.

        Raises:
            StorageError: the disk refuses; nothing is deleted.
        """
        gaps: list[Gap] = []
        with self._transaction() as repository:
            repository.prune_stored(self._clock.now_ms() - keep_ms)
            while repository.used_bytes() > max_bytes and repository.count_frames():
                gaps += self._gaps(repository.evict(EVICT_FRAMES))
            repository.add_records([encode_record(gap) for gap in gaps])
        return gaps

    def _gaps(self, evicted: Sequence[tuple[bytes, int]]) -> list[Gap]:
        now_ms = self._now_ms()
        return [
            Gap(boot_id, first, last, "evicted: ledger at its size limit", now_ms)
            for boot_id, group in groupby(evicted, key=lambda pair: pair[0])
            for first, last in ranges_of(sequence for _, sequence in group)
        ]

    @contextlib.contextmanager
    def reading(self) -> Iterator[Repository]:
        """Gives the repository for queries.

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
            if isinstance(error, sqlite3.Error) and _is_corrupt(error):
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
        """Renames the corrupt file and what SQLite keeps beside it: the write-ahead log and its shared memory."""
        self.close()
        now_ms = self._now_ms()
        quarantine = self.path.with_name(f"{self.path.name}.quarantine-{now_ms}")
        size_bytes = self.path.stat().st_size if self.path.exists() else 0
        for suffix in ("", "-wal", "-shm"):
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                part.rename(quarantine.with_name(quarantine.name + suffix))
        self.quarantined.append(BufferQuarantine(now_ms, _printable(reason), quarantine.name, size_bytes))
        extra = {"reason": reason, "file": str(quarantine), "bytes": size_bytes}
        log.error("ledger was unusable and put aside", extra=extra)


def _printable(text: str) -> str:
    return "".join(letter if 0x20 <= ord(letter) < 0x7F else "?" for letter in text)[:120]


class UnsoundError(sqlite3.DatabaseError):
    """The file opens, but belongs to another application or fails SQLite's own check."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def _is_corrupt(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _CORRUPT_CODES


def _connect(path: Path) -> sqlite3.Connection:
    """Opens and checks the file.

    Raises:
        sqlite3.Error, OSError: it can not be opened, or is corrupt.
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
    (application_id,) = db.execute("PRAGMA application_id").fetchone()
    (fault,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if application_id not in (0, APPLICATION_ID) or fault != "ok":
        raise UnsoundError(f"not a sound ledger: {fault}")
