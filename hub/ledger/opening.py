"""Opens a ledger file, or begins it with the genesis, and checks it before anything is served: all accounts, and every
block after the last snapshot; without a snapshot every block there is."""

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
from hub.ledger.store.log_check import LogCheck, named_authority
from hub.ledger.store.repository import Repository
from hub.ledger.store.snapshot import SNAPSHOT_EVERY, Progress, Snapshot, Tally


@dataclass(frozen=True)
class Limits:
    """How far the file may grow, the clock be off, and how much of the log a start reads."""

    max_mib: int | None = None
    gap_days: int = 0
    snapshot_every: int = SNAPSHOT_EVERY
    check_all: bool = False
    """Read the whole log, whatever the snapshot says, and make a new one."""


_STANDARD = Limits()


def open_chain(
    path: Path,
    authority: Keypair,
    clock: Clock,
    genesis: Callable[[], tuple[Genesis, Mapping[Pubkey, bytes]]],
    limits: Limits = _STANDARD,
) -> Chain:
    """Opens the ledger file, or begins it with the genesis, and checks what the last snapshot does not stand for.

    Raises:
        LedgerError: another version's file, another authority's, or a changed one.
        LedgerClockError: the clock is further from the last block than plausible, and than ``gap_days``.
    """
    guarded = clock if isinstance(clock, GuardedClock) else GuardedClock(clock, clock.now_ms)
    repository = Repository(path, limits.max_mib)
    try:
        if repository.empty:
            _begin(repository, authority, clock, *genesis())
        return _Opening(repository, authority, guarded, limits).chain()
    except BaseException:
        repository.close()
        raise


def describe(genesis: Genesis, authority: Pubkey, programs: Mapping[Pubkey, bytes]) -> str:
    """The text that block 0 commits to."""
    described: dict[str, Any] = {
        "authority": str(authority),
        "genesis": json.loads(genesis.to_json()),
        "programs": {str(key): hashlib.sha256(binary).hexdigest() for key, binary in programs.items()},
    }
    return json.dumps(described, sort_keys=True)


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


class _Opening:
    """One start on a file that holds at least block 0."""

    def __init__(self, repository: Repository, authority: Keypair, clock: GuardedClock, limits: Limits) -> None:
        self._repository = repository
        self._authority = authority
        self._clock = clock
        self._limits = limits
        self._genesis = repository.meta("genesis") or ""
        self._oldest_ms = clock.now_ms() - 2 * MAX_BLOCKHASH_AGE * SLOT_MS
        self._remembered = 0

    def chain(self) -> Chain:
        """Checks everything, and gives the chain that goes on from it."""
        _check_authority(self._genesis, self._authority)
        first = self._first_block()
        snapshot = self._snapshot(first)
        start = 0 if snapshot is None else self._far_enough_before(snapshot.slot)
        progress = self._check_log(snapshot, start)
        head = self._repository.block_at_or_before(2**62) or first
        bank = Bank(self._repository.accounts())
        if bank.accounts_hash != head.accounts_hash:
            raise LedgerDamagedError(
                f"The accounts are not those that block {head.slot} signed: restore the ledger's folder from a backup"
            )
        check_gap(head, self._clock.now_ms(), self._limits.gap_days)
        chain = Chain(self._repository, self._authority, self._clock, first, bank, progress, start)
        chain.remember(self._remembered)
        with contextlib.suppress(WriteRefusedError):  # a full disk is met, and said, by the first block
            chain.snapshot_when_due()
        return chain

    def _first_block(self) -> Header:
        block = self._repository.block(0)
        if block is None:
            raise LedgerDamagedError("Block 0 is missing: restore the ledger's folder from a backup")
        LogCheck(self._genesis, self._authority.pubkey()).take(block)
        return block.header

    def _snapshot(self, first: Header) -> Snapshot | None:
        stored = None if self._limits.check_all else self._repository.snapshot()
        if stored is None:
            return None
        try:
            snapshot = stored.opened(self._authority.pubkey())
        except ValueError as error:
            raise _wrong_snapshot(str(error)) from error
        if snapshot.genesis_hash != first.hash:
            raise _wrong_snapshot("it belongs to another chain")
        return snapshot

    def _check_log(self, snapshot: Snapshot | None, start: int) -> Progress:
        """Reads the log from the snapshot on, or from as far before it as blockhashes live, and the index with it."""
        check = LogCheck(
            self._genesis, self._authority.pubkey(), self._repository.block_at_or_before(start - 1) if start else None
        )
        met = snapshot is None
        for block in self._repository.blocks(start):
            check.take(block)
            header = block.header
            self._remembered = header.slot if header.time_ms < self._oldest_ms else self._remembered
            if snapshot is not None and header.slot == snapshot.slot:
                met = header.hash == snapshot.block_hash and header.accounts_hash == snapshot.accounts_hash
                check.start_counting()
        if not met and snapshot is not None:
            raise _wrong_snapshot(f"block {snapshot.slot} is not the one it names")
        before = snapshot.tally if snapshot else Tally()
        added = check.tally
        tally = Tally(
            before.blocks + added.blocks,
            before.transactions + added.transactions,
            before.index_rows + added.index_rows,
        )
        check_index(self._repository, tally, check.address_index_sum, snapshot.slot if snapshot else -1)
        return Progress(self._limits.snapshot_every, tally, before)

    def _far_enough_before(self, slot: int) -> int:
        """The newest block at or before that slot which no living blockhash needs; its successors are remembered."""
        header = self._repository.block_at_or_before(slot)
        while header is not None and header.slot > 0 and header.time_ms >= self._oldest_ms:
            header = self._repository.block_at_or_before(header.slot - 1)
        self._remembered = header.slot if header else 0
        return self._remembered


def _wrong_snapshot(why: str) -> LedgerDamagedError:
    return LedgerDamagedError(
        f"The ledger's snapshot was changed: {why}. Restore the folder from a backup, or start once with --check-all, "
        "which reads the whole log instead and makes a new snapshot"
    )


def _check_authority(genesis: str, authority: Keypair) -> None:
    named = named_authority(genesis)
    if named != authority.pubkey():
        raise LedgerError(
            f"The ledger's blocks are signed by {named}, authority.json is {authority.pubkey()}: put the right key back"
        )


def check_index(repository: Repository, tally: Tally, address_index_sum: AddressIndexSum, after: int) -> None:
    """No row outside of the blocks, and the index of addresses after that slot is what the transactions say.

    Raises:
        LedgerDamagedError: rows that no block signs were added, dropped or changed.
    """
    stored = repository.tally()
    for what, found, signed in (
        ("blocks", stored.blocks, tally.blocks),
        ("transactions", stored.transactions, tally.transactions),
    ):
        if found != signed:
            raise LedgerDamagedError(
                f"The ledger holds {found} {what}, its log says {signed}: restore the ledger's folder from a backup"
            )
    rows = AddressIndexSum()
    for address, slot, position in repository.index_entries(after):
        rows.add(address, slot, position)
    if rows != address_index_sum or stored.index_rows != tally.index_rows or repository.misplaced(after):
        raise LedgerDamagedError(
            "The index of addresses does not belong to the transactions: restore the ledger's folder from a backup"
        )
