"""The ledger on disk: an append-only log of signed blocks with their transactions, and the accounts after the last.

One SQLite transaction per block (WAL, synchronous=FULL): a block is there in full, with its accounts, or not at all.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from solders.account import Account
from solders.pubkey import Pubkey

from hub.ledger.blocks import Header
from hub.ledger.countersignature import Countersignature
from hub.ledger.errors import LedgerDamagedError, LedgerVersionError, WriteRefusedError
from hub.ledger.store.snapshot import SignedSnapshot, Tally

VERSION = "1"
_NO_RENT_EPOCH = bytes(8)
"""Every account is exempt from rent; no block signs this column, so nothing reads it."""

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE blocks (
  slot INTEGER PRIMARY KEY, hash BLOB NOT NULL, header BLOB NOT NULL, signature BLOB NOT NULL) STRICT;
CREATE TABLE transactions (
  slot INTEGER NOT NULL, position INTEGER NOT NULL, signature BLOB NOT NULL UNIQUE, raw BLOB NOT NULL,
  result TEXT NOT NULL, PRIMARY KEY (slot, position)) STRICT;
CREATE TABLE touched (
  address BLOB NOT NULL, slot INTEGER NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (address, slot, position)) STRICT, WITHOUT ROWID;
CREATE TABLE accounts (
  address BLOB PRIMARY KEY, lamports INTEGER NOT NULL, owner BLOB NOT NULL, executable INTEGER NOT NULL,
  rent_epoch BLOB NOT NULL, data BLOB NOT NULL) STRICT;
"""

_ADDED_LATER = """
CREATE TABLE IF NOT EXISTS snapshots (
  slot INTEGER PRIMARY KEY, content BLOB NOT NULL, signature BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS countersignatures (
  slot INTEGER NOT NULL, auditor BLOB NOT NULL, content TEXT NOT NULL, PRIMARY KEY (slot, auditor)) STRICT;
"""
"""Tables that a ledger of this version may still lack; nothing is lost with them, so the version stays."""


@dataclass(frozen=True)
class StoredTransaction:
    """A transaction of a block: raw bytes as signed, result as JSON, and the addresses that it names."""

    signature: bytes
    raw: bytes
    result: str
    addresses: tuple[bytes, ...] = ()
    slot: int = 0


@dataclass(frozen=True)
class StoredBlock:
    """A block as read back."""

    header: Header
    signature: bytes
    transactions: tuple[StoredTransaction, ...]


class Repository:
    """The SQLite file of one ledger; one thread uses it at a time."""

    def __init__(self, path: Path, max_mib: int | None = None, *, read_only: bool = False) -> None:
        """Opens the file, or makes it empty.

        Raises:
            LedgerVersionError: another version wrote it.
            LedgerDamagedError: it is no SQLite database.
        """
        self._path = path
        mode = "ro" if read_only else "rwc"
        self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None)
        try:
            if read_only:
                self._db.execute("BEGIN")
            else:
                self._prepare(max_mib)
            self._check_version()
            if not read_only and not self.empty:
                self._db.executescript(_ADDED_LATER)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise LedgerDamagedError(
                f"{path} can not be read as a ledger ({error}): restore a backup, or move it away to begin anew"
            ) from error
        except BaseException:
            self._db.close()
            raise

    @classmethod
    def read_only(cls, path: Path) -> "Repository":
        """A file as it is at this moment, while its ledger may go on writing.

        Raises:
            LedgerVersionError: another version wrote it.
            LedgerDamagedError: it is no SQLite database.
        """
        return cls(path, read_only=True)

    def _prepare(self, max_mib: int | None) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        page = self._db.execute("PRAGMA page_size").fetchone()[0]
        if max_mib is not None:
            self._db.execute(f"PRAGMA max_page_count = {max_mib * 2**20 // page}")

    def _check_version(self) -> None:
        tables = self._tables()
        if not tables:
            return
        found = self.meta("version") if "meta" in tables else None
        if found != VERSION:
            raise LedgerVersionError(
                f"{self._path} was written by ledger version {found or 'unknown'}, this one is {VERSION}: "
                "start the version that wrote it, or choose another --state folder"
            )

    @property
    def empty(self) -> bool:
        return bool(self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0)

    def close(self) -> None:
        self._db.close()

    def create(self, genesis: str, header: Header, signature: bytes, accounts: Mapping[Pubkey, Account]) -> None:
        """Writes the first block, all or nothing."""
        statements = [s for s in (_SCHEMA + _ADDED_LATER).split(";") if s.strip()]
        with self._transaction():
            for statement in statements:
                self._db.execute(statement)
            self._db.executemany("INSERT INTO meta VALUES (?, ?)", [("version", VERSION), ("genesis", genesis)])
            self._insert(header, signature, (), accounts)

    def append(
        self,
        header: Header,
        signature: bytes,
        transactions: Sequence[StoredTransaction],
        accounts: Mapping[Pubkey, Account | None],
        snapshot: SignedSnapshot | None = None,
    ) -> None:
        """Adds a block, the accounts as they are after it, and a snapshot when one is due; returns when it is on disk.

        Raises:
            WriteRefusedError: the disk is full or can not be written; nothing was kept.
        """
        try:
            with self._transaction():
                self._insert(header, signature, transactions, accounts)
                if snapshot is not None:
                    self._replace_snapshot(header.slot, snapshot)
        except sqlite3.OperationalError as error:
            raise self._refused(error) from error

    def store_snapshot(self, slot: int, snapshot: SignedSnapshot) -> None:
        """Stores a snapshot of the last block by itself.

        Raises:
            WriteRefusedError: the disk is full or can not be written.
        """
        try:
            with self._transaction():
                self._replace_snapshot(slot, snapshot)
        except sqlite3.OperationalError as error:
            raise self._refused(error) from error

    def _replace_snapshot(self, slot: int, snapshot: SignedSnapshot) -> None:
        self._db.execute("DELETE FROM snapshots")
        self._db.execute("INSERT INTO snapshots VALUES (?, ?, ?)", (slot, snapshot.content, snapshot.signature))

    def snapshot(self) -> SignedSnapshot | None:
        """The last snapshot, as it is stored."""
        row = self._db.execute("SELECT content, signature FROM snapshots ORDER BY slot DESC LIMIT 1").fetchone()
        return None if row is None else SignedSnapshot(*row)

    def probe(self) -> None:
        """Tries whether the file can be written again, with a megabyte to spare.

        Raises:
            WriteRefusedError: not yet.
        """
        try:
            with self._transaction():
                self._db.execute("INSERT OR REPLACE INTO meta VALUES ('probe', hex(zeroblob(524288)))")
            self._db.execute("DELETE FROM meta WHERE key = 'probe'")
        except sqlite3.OperationalError as error:
            raise self._refused(error) from error

    def _refused(self, error: sqlite3.Error) -> WriteRefusedError:
        return WriteRefusedError(f"The ledger can not write to {self._path} ({error}): free space on its disk")

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._db)

    def _insert(
        self,
        header: Header,
        signature: bytes,
        transactions: Sequence[StoredTransaction],
        accounts: Mapping[Pubkey, Account | None],
    ) -> None:
        slot = header.slot
        self._db.execute("INSERT INTO blocks VALUES (?, ?, ?, ?)", (slot, header.hash, header.encode(), signature))
        self._db.executemany(
            "INSERT INTO transactions VALUES (?, ?, ?, ?, ?)",
            [(slot, n, t.signature, t.raw, t.result) for n, t in enumerate(transactions)],
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO touched VALUES (?, ?, ?)",
            [(address, slot, n) for n, t in enumerate(transactions) for address in t.addresses],
        )
        gone = [(bytes(key),) for key, account in accounts.items() if account is None]
        self._db.executemany("DELETE FROM accounts WHERE address = ?", gone)
        self._db.executemany(
            "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?, ?)",
            [
                (bytes(k), a.lamports, bytes(a.owner), a.executable, _NO_RENT_EPOCH, a.data)
                for k, a in accounts.items()
                if a is not None
            ],
        )

    def add_countersignature(self, word: Countersignature) -> None:
        """Keeps an auditor's word for a block; the same word again changes nothing.

        Raises:
            WriteRefusedError: the disk is full, or another process keeps the file for itself.
        """
        row = (word.slot, bytes(word.auditor), word.to_json())
        try:
            self._db.execute("INSERT OR REPLACE INTO countersignatures VALUES (?, ?, ?)", row)
        except sqlite3.OperationalError as error:
            raise self._refused(error) from error

    def countersignatures(self) -> Iterator[Countersignature]:
        """What auditors signed, the oldest block first.

        Raises:
            LedgerDamagedError: one can not be read.
        """
        if "countersignatures" not in self._tables():
            return
        rows = self._db.execute("SELECT slot, content FROM countersignatures ORDER BY slot, auditor")
        with closing(rows):
            for slot, content in rows:
                try:
                    yield Countersignature.from_json(content)
                except ValueError as error:
                    raise LedgerDamagedError(f"The countersignature of block {slot} was changed: {error}") from error

    def _tables(self) -> set[str]:
        return {name for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def meta(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def accounts(self) -> Iterator[tuple[Pubkey, Account]]:
        """All accounts after the last block."""
        rows = self._db.execute("SELECT address, lamports, owner, executable, data FROM accounts")
        with closing(rows):
            for address, lamports, owner, executable, data in rows:
                yield Pubkey(address), Account(lamports, data, Pubkey(owner), bool(executable))

    def blocks(self, first: int = 0) -> Iterator[StoredBlock]:
        """The blocks from that slot on, in order, with their transactions.

        Raises:
            LedgerDamagedError: a stored block can not be read.
        """
        rows = self._db.execute(
            "SELECT slot, hash, header, signature FROM blocks WHERE slot >= ? ORDER BY slot", (first,)
        )
        with closing(rows):
            for row in rows:
                yield self._read_block(*row)

    def _read_block(self, slot: int, stored_hash: bytes, header_bytes: bytes, signature: bytes) -> StoredBlock:
        try:
            header = Header.decode(header_bytes)
        except ValueError as error:
            raise LedgerDamagedError(f"Block {slot} was changed: {error}") from error
        if header.slot != slot or header.hash != stored_hash:
            raise LedgerDamagedError(f"Block {slot} was changed: its hash does not belong to its content")
        return StoredBlock(header, signature, tuple(self._block_transactions(slot)))

    def _block_transactions(self, slot: int) -> Iterator[StoredTransaction]:
        rows = self._db.execute(
            "SELECT signature, raw, result FROM transactions WHERE slot = ? ORDER BY position", (slot,)
        )
        for signature, raw, result in rows:
            yield StoredTransaction(signature, raw, result, slot=slot)

    def misplaced(self, after: int = -1) -> int:
        """How many transactions after that slot do not stand at their place in their block, counted from 0."""
        row = self._db.execute(
            "SELECT count(*) FROM (SELECT position, row_number() OVER (PARTITION BY slot ORDER BY position) AS n"
            " FROM transactions WHERE slot > ?) WHERE position <> n - 1",
            (after,),
        ).fetchone()
        return int(row[0])

    def index_entries(self, after: int = -1) -> Iterator[tuple[bytes, int, int]]:
        """The index of addresses: (address, slot, position) of all that a transaction after that slot names."""
        rows = self._db.execute("SELECT address, slot, position FROM touched WHERE slot > ?", (after,))
        with closing(rows):
            yield from rows

    def block(self, slot: int) -> StoredBlock | None:
        """The block of exactly that slot."""
        row = self._db.execute("SELECT slot, hash, header, signature FROM blocks WHERE slot = ?", (slot,)).fetchone()
        return None if row is None else self._read_block(*row)

    def slots(self, first: int, last: int, limit: int) -> list[int]:
        """The slots in that range, both ends included, that have a block."""
        rows = self._db.execute(
            "SELECT slot FROM blocks WHERE slot BETWEEN ? AND ? ORDER BY slot LIMIT ?", (first, last, limit)
        )
        return [int(slot) for (slot,) in rows]

    def block_at_or_before(self, slot: int) -> Header | None:
        row = self._db.execute(
            "SELECT header FROM blocks WHERE slot <= ? ORDER BY slot DESC LIMIT 1", (slot,)
        ).fetchone()
        if row is None:
            return None
        try:
            return Header.decode(row[0])
        except ValueError as error:
            raise LedgerDamagedError(f"A block at or before {slot} was changed: {error}") from error

    def transaction(self, signature: bytes) -> StoredTransaction | None:
        row = self._db.execute(
            "SELECT slot, raw, result FROM transactions WHERE signature = ?", (signature,)
        ).fetchone()
        return None if row is None else StoredTransaction(signature, row[1], row[2], slot=row[0])

    def tally(self) -> Tally:
        """How many rows there are."""
        counts = [
            self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
            for table in ("blocks", "transactions", "touched")
        ]
        return Tally(*counts)

    def touching(
        self, address: bytes, limit: int, before: bytes | None, until: bytes | None
    ) -> list[tuple[int, bytes, str]]:
        """(slot, signature, result) of the newest transactions that name an address, newest first."""
        high = self._position(before) if before else (2**62, 0)
        low = self._position(until) if until else (-1, 0)
        if high is None or low is None:
            return []
        rows = self._db.execute(
            "SELECT t.slot, t.signature, t.result FROM touched a JOIN transactions t USING (slot, position)"
            " WHERE a.address = ? AND (a.slot, a.position) < (?, ?) AND (a.slot, a.position) > (?, ?)"
            " ORDER BY a.slot DESC, a.position DESC LIMIT ?",
            (address, *high, *low, limit),
        )
        return [(slot, signature, result) for slot, signature, result in rows]

    def _position(self, signature: bytes) -> tuple[int, int] | None:
        row = self._db.execute("SELECT slot, position FROM transactions WHERE signature = ?", (signature,)).fetchone()
        return None if row is None else (row[0], row[1])


class _Transaction:
    """BEGIN IMMEDIATE ... COMMIT, or ROLLBACK when anything fails, the commit itself included."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
