"""Reads of the ledger's file: signed blocks with their transactions, accounts after the last block, the index."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from solders.account import Account
from solders.pubkey import Pubkey

from hub.ledger.blocks import Header
from hub.ledger.countersignature import Countersignature
from hub.ledger.errors import LedgerDamagedError
from hub.ledger.store.snapshot import LogCounts, SignedSnapshot


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


class LedgerQueries:
    """Reads of an open ledger file; one thread uses it at a time."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def snapshot(self) -> SignedSnapshot | None:
        """Returns the last snapshot, unchecked."""
        row = self._db.execute("SELECT content, signature FROM snapshots ORDER BY slot DESC LIMIT 1").fetchone()
        return None if row is None else SignedSnapshot(*row)

    def countersignatures(self) -> Iterator[Countersignature]:
        """Yields the countersignatures of auditors, the oldest block first.

        Raises:
            LedgerDamagedError: a countersignature can not be read.
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
        """Yields all accounts after the last block with their addresses."""
        rows = self._db.execute("SELECT address, lamports, owner, executable, data FROM accounts")
        with closing(rows):
            for address, lamports, owner, executable, data in rows:
                yield Pubkey(address), Account(lamports, data, Pubkey(owner), bool(executable))

    def blocks(self, first: int = 0) -> Iterator[StoredBlock]:
        """Yields the blocks from a slot on, in order, with their transactions.

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

    def count_misplaced(self, after: int = -1) -> int:
        """Counts transactions after a slot whose position is not their place in their block, counted from 0."""
        row = self._db.execute(
            "SELECT count(*) FROM (SELECT position, row_number() OVER (PARTITION BY slot ORDER BY position) AS n"
            " FROM transactions WHERE slot > ?) WHERE position <> n - 1",
            (after,),
        ).fetchone()
        return int(row[0])

    def index_entries(self, after: int = -1) -> Iterator[tuple[bytes, int, int]]:
        """Yields (address, slot, position) of each address that a transaction after a slot names."""
        rows = self._db.execute("SELECT address, slot, position FROM touched WHERE slot > ?", (after,))
        with closing(rows):
            yield from rows

    def block(self, slot: int) -> StoredBlock | None:
        """Returns the block of exactly that slot, or None.

        Raises:
            LedgerDamagedError: it can not be read.
        """
        row = self._db.execute("SELECT slot, hash, header, signature FROM blocks WHERE slot = ?", (slot,)).fetchone()
        return None if row is None else self._read_block(*row)

    def slots(self, first: int, last: int, limit: int) -> list[int]:
        """Returns the slots in a range, both ends included, that have a block; at most ``limit``."""
        rows = self._db.execute(
            "SELECT slot FROM blocks WHERE slot BETWEEN ? AND ? ORDER BY slot LIMIT ?", (first, last, limit)
        )
        return [int(slot) for (slot,) in rows]

    def block_at_or_before(self, slot: int) -> Header | None:
        """Returns the newest block's header up to a slot, or None.

        Raises:
            LedgerDamagedError: it can not be read.
        """
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

    def counts(self) -> LogCounts:
        """Counts the stored rows."""
        rows = [
            self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
            for table in ("blocks", "transactions", "touched")
        ]
        return LogCounts(*rows)

    def transactions_naming(
        self, address: bytes, limit: int, before: bytes | None, until: bytes | None
    ) -> list[tuple[int, bytes, str]]:
        """Returns (slot, signature, result) of transactions that name an address, newest first.

        ``before`` and ``until`` are signatures: only transactions before the one and after the other are returned; none
        when such a signature is unknown.
        """
        upper = self._position(before) if before else (2**62, 0)
        lower = self._position(until) if until else (-1, 0)
        if upper is None or lower is None:
            return []
        rows = self._db.execute(
            "SELECT t.slot, t.signature, t.result FROM touched a JOIN transactions t USING (slot, position)"
            " WHERE a.address = ? AND (a.slot, a.position) < (?, ?) AND (a.slot, a.position) > (?, ?)"
            " ORDER BY a.slot DESC, a.position DESC LIMIT ?",
            (address, *upper, *lower, limit),
        )
        return [(slot, signature, result) for slot, signature, result in rows]

    def _position(self, signature: bytes) -> tuple[int, int] | None:
        row = self._db.execute("SELECT slot, position FROM transactions WHERE signature = ?", (signature,)).fetchone()
        return None if row is None else (row[0], row[1])
