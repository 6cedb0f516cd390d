"""The ledger's file: an append-only log of signed blocks with their transactions, and the accounts after the last.

One SQLite transaction per block (WAL, synchronous=FULL): a block is stored in full, with its accounts, or not at all.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from solders.account import Account
from solders.pubkey import Pubkey

from hub.ledger.blocks import Header
from hub.ledger.countersignature import Countersignature
from hub.ledger.errors import LedgerDamagedError, LedgerVersionError, WriteRefusedError
from hub.ledger.store.queries import LedgerQueries, StoredTransaction
from hub.ledger.store.snapshot import SignedSnapshot

VERSION = "1"
_NO_RENT_EPOCH = bytes(8)
"""Every account is exempt from rent; no block signs this column, and nothing reads it."""

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
"""Tables that an older ledger of this version lacks; they can be added at any time, so the version stays."""


class Repository(LedgerQueries):
    """The SQLite file of one ledger; one thread uses it at a time."""

    def __init__(self, path: Path, max_mib: int | None = None, *, read_only: bool = False) -> None:
        """Opens the file; a missing one is created empty.

        Raises:
            LedgerVersionError: another version wrote the file.
            LedgerDamagedError: the file is no SQLite database.
        """
        self._path = path
        mode = "ro" if read_only else "rwc"
        super().__init__(sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None))
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
        """Opens a file to read it as it is at this moment, while its ledger may go on writing.

        Raises:
            LedgerVersionError: another version wrote the file.
            LedgerDamagedError: the file is no SQLite database.
        """
        return cls(path, read_only=True)

    def _prepare(self, max_mib: int | None) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        page_bytes = self._db.execute("PRAGMA page_size").fetchone()[0]
        if max_mib is not None:
            self._db.execute(f"PRAGMA max_page_count = {max_mib * 2**20 // page_bytes}")

    def _check_version(self) -> None:
        tables = self._tables()
        if not tables:
            return
        version = self.meta("version") if "meta" in tables else None
        if version != VERSION:
            raise LedgerVersionError(
                f"{self._path} was written by ledger version {version or 'unknown'}, this one is {VERSION}: "
                "start the version that wrote it, or choose another --state folder"
            )

    @property
    def empty(self) -> bool:
        return bool(self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0)

    def close(self) -> None:
        self._db.close()

    def create(self, genesis: str, header: Header, signature: bytes, accounts: Mapping[Pubkey, Account]) -> None:
        """Creates the tables and writes the first block in one transaction."""
        statements = [statement for statement in (_SCHEMA + _ADDED_LATER).split(";") if statement.strip()]
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
        """Adds a block, the accounts after it, and a snapshot when one is due; returns when all are on disk.

        Raises:
            WriteRefusedError: the disk is full or can not be written; nothing was kept.
        """
        try:
            with self._transaction():
                self._insert(header, signature, transactions, accounts)
                if snapshot is not None:
                    self._replace_snapshot(header.slot, snapshot)
        except sqlite3.OperationalError as error:
            raise self._write_refused(error) from error

    def store_snapshot(self, slot: int, snapshot: SignedSnapshot) -> None:
        """Stores a snapshot of the last block.

        Raises:
            WriteRefusedError: the disk is full or can not be written.
        """
        try:
            with self._transaction():
                self._replace_snapshot(slot, snapshot)
        except sqlite3.OperationalError as error:
            raise self._write_refused(error) from error

    def _replace_snapshot(self, slot: int, snapshot: SignedSnapshot) -> None:
        self._db.execute("DELETE FROM snapshots")
        self._db.execute("INSERT INTO snapshots VALUES (?, ?, ?)", (slot, snapshot.content, snapshot.signature))

    def probe(self) -> None:
        """Checks that a megabyte can be written to the file.

        Raises:
            WriteRefusedError: it can not.
        """
        try:
            with self._transaction():
                self._db.execute("INSERT OR REPLACE INTO meta VALUES ('probe', hex(zeroblob(524288)))")
            self._db.execute("DELETE FROM meta WHERE key = 'probe'")
        except sqlite3.OperationalError as error:
            raise self._write_refused(error) from error

    def _write_refused(self, error: sqlite3.Error) -> WriteRefusedError:
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
            [
                (slot, position, stored.signature, stored.raw, stored.result)
                for position, stored in enumerate(transactions)
            ],
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO touched VALUES (?, ?, ?)",
            [(address, slot, position) for position, stored in enumerate(transactions) for address in stored.addresses],
        )
        removed = [(bytes(key),) for key, account in accounts.items() if account is None]
        self._db.executemany("DELETE FROM accounts WHERE address = ?", removed)
        self._db.executemany(
            "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?, ?)",
            [
                (bytes(key), account.lamports, bytes(account.owner), account.executable, _NO_RENT_EPOCH, account.data)
                for key, account in accounts.items()
                if account is not None
            ],
        )

    def add_countersignature(self, countersignature: Countersignature) -> None:
        """Stores an auditor's countersignature of a block; the same one again changes nothing.

        Raises:
            WriteRefusedError: the disk is full, or another process locks the file.
        """
        row = (countersignature.slot, bytes(countersignature.auditor), countersignature.to_json())
        try:
            self._db.execute("INSERT OR REPLACE INTO countersignatures VALUES (?, ?, ?)", row)
        except sqlite3.OperationalError as error:
            raise self._write_refused(error) from error


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
