"""Opens a ledger file, or begins it with the genesis, and checks it before anything is served.

It checks all accounts and every block after the last snapshot; without a snapshot it checks every block.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.clock import Clock
from hub.ledger.bank import Bank
from hub.ledger.blocks import MAX_BLOCKHASH_AGE, SLOT_MS, Header, sign
from hub.ledger.chain import Chain
from hub.ledger.errors import LedgerDamagedError, LedgerError, WriteRefusedError
from hub.ledger.genesis import Genesis, first_accounts
from hub.ledger.guarded_clock import GuardedClock, check_gap
from hub.ledger.store.address_index import AddressIndexSum
from hub.ledger.store.log_check import LogCheck, authority_of
from hub.ledger.store.repository import Repository
from hub.ledger.store.snapshot import SNAPSHOT_EVERY, LogCounts, Progress, Snapshot


@dataclass(frozen=True)
class Limits:
    """Limits of a start: the file's size, the clock's distance from the last block, how much of the log is read."""

    max_mib: int | None = None
    gap_days: int = 0
    snapshot_every: int = SNAPSHOT_EVERY
    check_all: bool = False
    """Check the whole log in spite of a snapshot, and make a new snapshot."""


_DEFAULT_LIMITS = Limits()


def open_chain(
    path: Path,
    authority: Keypair,
    clock: Clock,
    genesis: Callable[[], tuple[Genesis, Mapping[Pubkey, bytes]]],
    limits: Limits = _DEFAULT_LIMITS,
) -> Chain:
    """Opens the ledger file, or begins it with the genesis, and checks what follows the last snapshot.

    Raises:
        LedgerError: the file is of another version or another authority, or was changed.
        LedgerClockError: the clock is further from the last block than is plausible and than ``gap_days`` allows.
    """
    guarded = clock if isinstance(clock, GuardedClock) else GuardedClock(clock, clock.now_ms)
    repository = Repository(path, limits.max_mib)
    try:
        if repository.empty:
            _begin(repository, authority, clock, *genesis())
        return _Opener(repository, authority, guarded, limits).open()
    except BaseException:
        repository.close()
        raise


def describe(genesis: Genesis, authority: Pubkey, programs: Mapping[Pubkey, bytes]) -> str:
    """Returns the JSON text that block 0 commits to: authority, genesis, SHA-256 of each program."""
    content: dict[str, Any] = {
        "authority": str(authority),
        "genesis": json.loads(genesis.to_json()),
        "programs": {str(key): hashlib.sha256(binary).hexdigest() for key, binary in programs.items()},
    }
    return json.dumps(content, sort_keys=True)


def _begin(
    repository: Repository, authority: Keypair, clock: Clock, genesis: Genesis, programs: Mapping[Pubkey, bytes]
) -> None:
    accounts = first_accounts(genesis, authority.pubkey(), programs)
    text = describe(genesis, authority.pubkey(), programs)
    header = Header(
        slot=0,
        parent_slot=0,
        parent_hash=bytes(32),
        time_ms=clock.now_ms(),
        transaction_count=0,
        transactions_hash=hashlib.sha256(text.encode()).digest(),
        accounts_hash=Bank(accounts.items()).accounts_hash,
    )
    repository.create(text, header, sign(header, authority), accounts)


class _Opener:
    """Opens a file that holds at least block 0."""

    def __init__(self, repository: Repository, authority: Keypair, clock: GuardedClock, limits: Limits) -> None:
        self._repository = repository
        self._authority = authority
        self._clock = clock
        self._limits = limits
        self._genesis = repository.meta("genesis") or ""
        self._oldest_ms = clock.now_ms() - 2 * MAX_BLOCKHASH_AGE * SLOT_MS
        self._first_recent_slot = 0

    def open(self) -> Chain:
        """Checks the file and returns the chain that continues it."""
        _check_authority(self._genesis, self._authority)
        first = self._first_block()
        snapshot = self._snapshot(first)
        start = 0 if snapshot is None else self._first_slot_to_check(snapshot.slot)
        progress = self._check_log(snapshot, start)
        head = self._repository.block_at_or_before(2**62) or first
        bank = Bank(self._repository.accounts())
        if bank.accounts_hash != head.accounts_hash:
            raise LedgerDamagedError(
                f"The accounts are not those that block {head.slot} signed: restore the ledger's folder from a backup"
            )
        check_gap(head, self._clock.now_ms(), self._limits.gap_days)
        chain = Chain(self._repository, self._authority, self._clock, first, bank, progress, start)
        chain.restore_recent(self._first_recent_slot)
        with contextlib.suppress(WriteRefusedError):  # the first block reports a full disk
            chain.snapshot_when_due()
        return chain

    def _first_block(self) -> Header:
        block = self._repository.block(0)
        if block is None:
            raise LedgerDamagedError("Block 0 is missing: restore the ledger's folder from a backup")
        LogCheck(self._genesis, self._authority.pubkey()).check_next(block)
        return block.header

    def _snapshot(self, first: Header) -> Snapshot | None:
        stored = None if self._limits.check_all else self._repository.snapshot()
        if stored is None:
            return None
        try:
            snapshot = stored.verified(self._authority.pubkey())
        except ValueError as error:
            raise _wrong_snapshot(str(error)) from error
        if snapshot.genesis_hash != first.hash:
            raise _wrong_snapshot("it belongs to another chain")
        return snapshot

    def _check_log(self, snapshot: Snapshot | None, start: int) -> Progress:
        """Checks the log from the start slot on, and the index of addresses after the snapshot."""
        check = LogCheck(
            self._genesis, self._authority.pubkey(), self._repository.block_at_or_before(start - 1) if start else None
        )
        snapshot_matches = snapshot is None
        for block in self._repository.blocks(start):
            check.check_next(block)
            header = block.header
            self._first_recent_slot = header.slot if header.time_ms < self._oldest_ms else self._first_recent_slot
            if snapshot is not None and header.slot == snapshot.slot:
                snapshot_matches = header.hash == snapshot.block_hash and header.accounts_hash == snapshot.accounts_hash
                check.start_counting()
        if not snapshot_matches and snapshot is not None:
            raise _wrong_snapshot(f"block {snapshot.slot} is not the block that it names")
        before = snapshot.counts if snapshot else LogCounts()
        counted = check.counts
        counts = LogCounts(
            before.blocks + counted.blocks,
            before.transactions + counted.transactions,
            before.index_rows + counted.index_rows,
        )
        check_index(self._repository, counts, check.address_index_sum, snapshot.slot if snapshot else -1)
        return Progress(self._limits.snapshot_every, counts, before)

    def _first_slot_to_check(self, slot: int) -> int:
        """Returns the slot of the newest block, up to ``slot``, that is older than every valid blockhash."""
        header = self._repository.block_at_or_before(slot)
        while header is not None and header.slot > 0 and header.time_ms >= self._oldest_ms:
            header = self._repository.block_at_or_before(header.slot - 1)
        self._first_recent_slot = header.slot if header else 0
        return self._first_recent_slot


def _wrong_snapshot(reason: str) -> LedgerDamagedError:
    return LedgerDamagedError(
        f"The ledger's snapshot was changed: {reason}. Restore the folder from a backup, or start once with "
        "--check-all, which reads the whole log instead and makes a new snapshot"
    )


def _check_authority(genesis: str, authority: Keypair) -> None:
    signer = authority_of(genesis)
    if signer != authority.pubkey():
        raise LedgerError(
            f"The ledger's blocks are signed by {signer}, authority.json is {authority.pubkey()}: "
            "put the right key back"
        )


def check_index(repository: Repository, counts: LogCounts, address_index_sum: AddressIndexSum, after: int) -> None:
    """Checks the number of rows, and the index of addresses after a slot against what the transactions name.

    Raises:
        LedgerDamagedError: rows that no block signs were added, dropped or changed.
    """
    stored = repository.counts()
    for table, stored_rows, log_rows in (
        ("blocks", stored.blocks, counts.blocks),
        ("transactions", stored.transactions, counts.transactions),
    ):
        if stored_rows != log_rows:
            raise LedgerDamagedError(
                f"The ledger holds {stored_rows} {table}, its log says {log_rows}: "
                "restore the ledger's folder from a backup"
            )
    rows = AddressIndexSum()
    for address, slot, position in repository.index_entries(after):
        rows.add(address, slot, position)
    if rows != address_index_sum or stored.index_rows != counts.index_rows or repository.count_misplaced(after):
        raise LedgerDamagedError(
            "The index of addresses does not belong to the transactions: restore the ledger's folder from a backup"
        )
