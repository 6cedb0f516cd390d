"""The chain: takes signed transactions, runs them in the open block, signs and stores blocks, lets blockhashes expire.

Synchronous and single-threaded; ``producer`` decides when a block is closed. A block is confirmed when it is on disk,
and final when a stored block links to it.
"""

import json
from dataclasses import dataclass, field, replace

from solders.hash import Hash
from solders.keypair import Keypair
from solders.signature import Signature
from solders.transaction import SanitizeError, VersionedTransaction

from hub.ledger.bank import Bank
from hub.ledger.blocks import MAX_BLOCKHASH_AGE, Header, height_at, sign, slot_at, transactions_hash
from hub.ledger.errors import ClockJumpedError, LedgerError, WriteRefusedError
from hub.ledger.events import ChainEvent, Listener
from hub.ledger.guarded_clock import GuardedClock
from hub.ledger.recent import Blockhashes, Commitment, Status, Statuses
from hub.ledger.results import transaction_meta
from hub.ledger.store.old_blocks import OldBlocks
from hub.ledger.store.queries import StoredTransaction
from hub.ledger.store.repository import Repository
from hub.ledger.store.snapshot import LogCounts, Progress, SignedSnapshot, Snapshot

MAX_BLOCK_TRANSACTIONS = 2000
_FORGET_EVERY_HEIGHTS = 64


class TransactionRefusedError(Exception):
    """A transaction that does not get into a block; ``error`` is Solana's name of the reason."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass
class _OpenBlock:
    slot: int
    time_ms: int
    transactions: list[StoredTransaction] = field(default_factory=list)


class Chain:
    """One ledger whose file was opened and checked."""

    def __init__(
        self,
        repository: Repository,
        authority: Keypair,
        clock: GuardedClock,
        genesis: Header,
        bank: Bank,
        progress: Progress,
        checked_from_slot: int = 0,
    ) -> None:
        self.repository = repository
        self.bank = bank
        self.authority = authority
        self.genesis_hash = Hash(genesis.hash)
        self.statuses = Statuses()
        self._snapshot_progress = progress
        self._old_blocks = OldBlocks(repository, authority.pubkey(), checked_from_slot)
        self.write_fault: str | None = None
        self._clock = clock
        self._genesis_ms = genesis.time_ms
        self._blockhashes = Blockhashes(genesis.time_ms)
        self._open: _OpenBlock | None = None
        self._not_final: dict[int, ChainEvent] = {}
        """By slot: stored blocks that no later block links to yet."""
        self.listeners: list[Listener] = []
        self._forgotten_at_height = 0
        self._faucet_count = 0
        head = repository.block_at_or_before(2**62)
        if head is None:
            raise LedgerError("The ledger has no block")
        self.head = head

    @property
    def transaction_count(self) -> int:
        return self._snapshot_progress.counts.transactions

    def require_genuine(self, slot: int) -> None:
        """Checks a block that was not checked at start; call it before anything of the block is answered.

        Raises:
            LedgerDamagedError: the block was changed.
        """
        self._old_blocks.require_genuine(slot)

    # -- time on the chain: slots, heights, blockhashes

    def slot(self) -> int:
        """Returns the current slot."""
        return self._open.slot if self._open else slot_at(self.head, self._clock.now_ms())

    def height(self) -> int:
        """Returns the current block height: the chain's age in units of 400 ms."""
        return self.height_at(max(self._clock.now_ms(), self.head.time_ms))

    def height_at(self, time_ms: int) -> int:
        return height_at(self._genesis_ms, time_ms)

    def slot_for(self, commitment: Commitment) -> int:
        """Returns the newest slot that reads at that commitment see."""
        if commitment == "finalized" and self._not_final:
            return next(iter(self._not_final)) - 1
        return self._open.slot - 1 if self._open and commitment != "processed" else self.slot()

    def hidden_layers(self, commitment: Commitment) -> int:
        """Returns how many of the bank's newest layers a read at that commitment must not see."""
        open_layers = 1 if self._open else 0
        return {"processed": 0, "confirmed": open_layers, "finalized": open_layers + len(self._not_final)}[commitment]

    def latest_blockhash(self) -> tuple[Hash, int]:
        """Returns a blockhash to sign with, and the last block height at which it is valid."""
        value = self._blockhashes.at(self.head, self.slot())
        return value, self._blockhashes.last_height(value)

    def is_blockhash_valid(self, value: Hash) -> bool:
        return self._blockhashes.is_valid(value, self.height())

    # -- transactions

    def check(self, transaction: VersionedTransaction, *, signatures: bool = True, blockhash: bool = True) -> None:
        """Checks what can be checked of a transaction without running it.

        Raises:
            TransactionRefusedError: SignatureFailure, BlockhashNotFound, AlreadyProcessed or SanitizeFailure.
        """
        message = transaction.message
        try:
            transaction.sanitize()
            self.bank.resolve(message)
        except (ValueError, SanitizeError) as error:
            raise TransactionRefusedError("SanitizeFailure") from error
        if signatures and not all(transaction.verify_with_results()):
            raise TransactionRefusedError("SignatureFailure")
        if blockhash:
            if self.statuses.has_message(message.hash()):
                raise TransactionRefusedError("AlreadyProcessed")
            if not self.is_blockhash_valid(message.recent_blockhash):
                raise TransactionRefusedError("BlockhashNotFound")

    def next_faucet_number(self) -> int:
        """Returns a number that no other airdrop of this ledger has."""
        self._faucet_count += 1
        return self._clock.now_ms() * 1000 + self._faucet_count % 1000

    def set_clock_for_simulation(self) -> None:
        """Sets the virtual machine's clock to now, unless an open block has set it."""
        if self._open is None:
            self.bank.set_clock(self.slot(), max(self._clock.now_ms(), self.head.time_ms))

    def submit(self, transaction: VersionedTransaction, raw: bytes) -> None:
        """Runs a checked transaction in the open block.

        A failed transaction whose fee could not be taken is dropped, as on Solana.

        Raises:
            WriteRefusedError: a block could not be written, and ``recover`` has not yet found the disk writable again.
            ClockJumpedError: the machine's clock was set.
        """
        if self.write_fault:
            raise WriteRefusedError(self.write_fault)
        if clock_fault := self._clock.fault():
            raise ClockJumpedError(clock_fault)
        block = self._open or self._begin_block()
        execution = self.bank.execute(transaction)
        if execution.failed and not execution.paid_fee:
            return
        message = transaction.message
        meta = transaction_meta(execution, message.header.num_required_signatures)
        signature = transaction.signatures[0]
        addresses = tuple(bytes(key) for key in execution.addresses.keys)
        result = json.dumps(meta, separators=(",", ":"))
        stored = StoredTransaction(bytes(signature), raw, result, addresses, block.slot)
        block.transactions.append(stored)
        self.statuses.add(
            signature, message.hash(), Status(block.slot, self.height_at(block.time_ms), meta["err"], "processed")
        )
        self._notify(ChainEvent("processed", block.slot, (stored,), execution.changed))

    def _begin_block(self) -> _OpenBlock:
        now_ms = max(self._clock.now_ms(), self.head.time_ms)
        slot = max(slot_at(self.head, now_ms), self.head.slot + 1)
        self._open = _OpenBlock(slot, now_ms)
        self.bank.set_clock(slot, now_ms)
        self.bank.begin_layer()
        return self._open

    # -- blocks

    @property
    def open_block_full(self) -> bool:
        return self._open is not None and len(self._open.transactions) >= MAX_BLOCK_TRANSACTIONS

    @property
    def awaits_finality(self) -> bool:
        return bool(self._not_final)

    def commit(self) -> None:
        """Signs and stores the open block. Its transactions are then confirmed, those of earlier blocks final.

        Raises:
            WriteRefusedError: nothing of the block was kept; its transactions are forgotten.
        """
        block = self._open
        if block is None:
            return
        if block.transactions:
            self._store(block)
            return
        self.bank.undo_newest_layer()
        self._open = None

    def finalise(self) -> None:
        """Stores an empty block on top, which makes every earlier block final.

        Raises:
            WriteRefusedError: the disk is full; the producer tries again.
        """
        if self._open is None and self._not_final:
            self._store(self._begin_block(), empty=True)

    def _store(self, block: _OpenBlock, *, empty: bool = False) -> None:
        changes = self.bank.newest_changes()
        accounts_hash = self.bank.accounts_hash_after(changes)
        entries = block.transactions
        header = Header(
            slot=block.slot,
            parent_slot=self.head.slot,
            parent_hash=self.head.hash,
            time_ms=block.time_ms,
            transaction_count=len(entries),
            transactions_hash=transactions_hash((stored.raw, stored.result) for stored in entries),
            accounts_hash=accounts_hash.digest(),
        )
        self._open = None
        index_rows = sum(len(set(stored.addresses)) for stored in entries)
        progress = self._snapshot_progress.with_block(len(entries), index_rows)
        snapshot = self._snapshot(header, progress.counts) if progress.snapshot_due else None
        try:
            self.repository.append(header, sign(header, self.authority), entries, changes, snapshot)
        except WriteRefusedError as error:
            self.bank.undo_newest_layer()
            self.statuses.drop(block.slot)
            self.write_fault = str(error)
            raise
        self.bank.set_accounts_hash(accounts_hash)
        self.head = header
        self._blockhashes.add_span(header, header.slot)
        self._snapshot_progress = progress.after_snapshot() if snapshot else progress
        self._promote_blocks(ChainEvent("confirmed", header.slot, tuple(entries), tuple(changes)), empty=empty)
        self._forget_expired()

    def _snapshot(self, head: Header, counts: LogCounts) -> SignedSnapshot:
        return SignedSnapshot.sign(Snapshot.of(bytes(self.genesis_hash), head, counts), self.authority)

    def snapshot_when_due(self) -> None:
        """Stores a snapshot of the last block when one is due, as after a check of the whole log.

        Raises:
            WriteRefusedError: the disk is full.
        """
        if self._snapshot_progress.snapshot_due:
            self.repository.store_snapshot(self.head.slot, self._snapshot(self.head, self._snapshot_progress.counts))
            self._snapshot_progress = self._snapshot_progress.after_snapshot()

    def _promote_blocks(self, stored: ChainEvent, *, empty: bool) -> None:
        """Raises commitments after a block was stored: earlier blocks become final, an empty block is final at once."""
        finalised = [replace(event, commitment="finalized") for event in self._not_final.values()]
        for event in finalised:
            self.bank.finalise_oldest_layer()
            self.statuses.promote(event.slot, "finalized")
        if empty:
            self.bank.finalise_oldest_layer()
            self._not_final = {}
            finalised.append(ChainEvent("finalized", stored.slot))
        else:
            self.statuses.promote(stored.slot, "confirmed")
            self._not_final = {stored.slot: stored}
        for event in finalised if empty else [*finalised, stored]:
            self._notify(event)

    def _notify(self, event: ChainEvent) -> None:
        for listener in self.listeners:
            listener(event)

    def _forget_expired(self) -> None:
        height = self.height()
        if height - self._forgotten_at_height >= _FORGET_EVERY_HEIGHTS:
            self._forgotten_at_height = height
            self._blockhashes.forget_before(height - MAX_BLOCKHASH_AGE)
            self.statuses.forget_before(height - 2 * MAX_BLOCKHASH_AGE)

    @property
    def fault(self) -> str | None:
        """The reason why no transaction is taken now, or None."""
        return self.write_fault or self._clock.fault()

    def recover(self) -> None:
        """Takes transactions again if a megabyte can be written to the disk.

        Raises:
            WriteRefusedError: it can not yet.
        """
        self.repository.probe()
        self.write_fault = None

    def restore_recent(self, first_slot: int) -> None:
        """Reads recent blockhashes and statuses from the stored blocks, from ``first_slot`` on; called at start."""
        previous: Header | None = None
        for block in self.repository.blocks(first_slot):
            header = block.header
            if previous is not None:
                self._blockhashes.add_span(previous, header.slot)
            previous = header
            for stored in block.transactions:
                message_hash = VersionedTransaction.from_bytes(stored.raw).message.hash()
                error = json.loads(stored.result)["err"]
                status = Status(header.slot, self.height_at(header.time_ms), error, "finalized")
                self.statuses.add(Signature.from_bytes(stored.signature), message_hash, status)
        self._blockhashes.add_span(self.head, self.slot())

    def close(self) -> None:
        """Stores the open block and closes the file, also when the block can not be stored."""
        try:
            self.commit()
        finally:
            self.repository.close()
