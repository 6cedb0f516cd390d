"""The chain itself: takes signed transactions, runs them in the open block, stores and signs blocks, ages blockhashes.

Synchronous and single-threaded; ``producer`` decides when a block is closed. A block is confirmed when it is on disk
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
from hub.ledger.errors import ClockAstrayError, LedgerError, WriteRefusedError
from hub.ledger.events import ChainEvent, Listener
from hub.ledger.guarded_clock import GuardedClock
from hub.ledger.recent import Blockhashes, Confirmation, Status, Statuses
from hub.ledger.results import transaction_meta
from hub.ledger.store.old_blocks import OldBlocks
from hub.ledger.store.repository import Repository, StoredTransaction
from hub.ledger.store.snapshot import Progress, SignedSnapshot, Snapshot, Tally

MAX_BLOCK_TRANSACTIONS = 2000
_FORGET_EVERY = 64


class TransactionRefusedError(Exception):
    """A transaction that does not get into a block; ``error`` is Solana's name for why."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass
class _OpenBlock:
    slot: int
    time_ms: int
    transactions: list[StoredTransaction] = field(default_factory=list)


class Chain:
    """One ledger, opened and checked."""

    def __init__(
        self,
        repository: Repository,
        authority: Keypair,
        clock: GuardedClock,
        genesis: Header,
        bank: Bank,
        progress: Progress,
        checked_from: int = 0,
    ) -> None:
        self.repository = repository
        self.bank = bank
        self.authority = authority
        self.genesis_hash = Hash(genesis.hash)
        self.statuses = Statuses()
        self._progress = progress
        self._old = OldBlocks(repository, authority.pubkey(), checked_from)
        self.write_fault: str | None = None
        self._clock = clock
        self._genesis_ms = genesis.time_ms
        self._blockhashes = Blockhashes(genesis.time_ms)
        self._open: _OpenBlock | None = None
        self._unsealed: dict[int, ChainEvent] = {}
        """Stored blocks that no later one links to yet."""
        self.listeners: list[Listener] = []
        self._forgotten_at = 0
        self._faucet_count = 0
        head = repository.block_at_or_before(2**62)
        if head is None:
            raise LedgerError("The ledger has no block")
        self.head = head

    @property
    def transaction_count(self) -> int:
        return self._progress.tally.transactions

    def require_genuine(self, slot: int) -> None:
        """Checks a block that the start left aside, before anything of it is told.

        Raises:
            LedgerDamagedError: it was changed.
        """
        self._old.require_genuine(slot)

    # -- what time it is on the chain

    def slot(self) -> int:
        """The current slot."""
        return self._open.slot if self._open else slot_at(self.head, self._clock.now_ms())

    def height(self) -> int:
        """The current block height: how many times 400 ms the chain is old."""
        return self.height_at(max(self._clock.now_ms(), self.head.time_ms))

    def height_at(self, time_ms: int) -> int:
        return height_at(self._genesis_ms, time_ms)

    def slot_for(self, confirmation: Confirmation) -> int:
        """The slot up to which reads at that commitment see."""
        if confirmation == "finalized" and self._unsealed:
            return next(iter(self._unsealed)) - 1
        return self._open.slot - 1 if self._open and confirmation != "processed" else self.slot()

    def hidden_layers(self, confirmation: Confirmation) -> int:
        """How many newest layers of the bank a read at that commitment must not see."""
        is_open = 1 if self._open else 0
        return {"processed": 0, "confirmed": is_open, "finalized": is_open + len(self._unsealed)}[confirmation]

    def latest_blockhash(self) -> tuple[Hash, int]:
        """A blockhash to sign with, and the last block height at which it is good."""
        value = self._blockhashes.at(self.head, self.slot())
        return value, self._blockhashes.last_height(value)

    def is_blockhash_valid(self, value: Hash) -> bool:
        return self._blockhashes.is_valid(value, self.height())

    # -- transactions

    def check(self, transaction: VersionedTransaction, *, signatures: bool = True, blockhash: bool = True) -> None:
        """What is known about a transaction without running it.

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

    def faucet_count(self) -> int:
        """A number that no other gift of this ledger has."""
        self._faucet_count += 1
        return self._clock.now_ms() * 1000 + self._faucet_count % 1000

    def prepare(self) -> None:
        """Sets the virtual machine's clock to now, for a simulation."""
        if self._open is None:
            self.bank.set_clock(self.slot(), max(self._clock.now_ms(), self.head.time_ms))

    def submit(self, transaction: VersionedTransaction, raw: bytes) -> None:
        """Runs a checked transaction in the open block.

        A failed one whose fee could not be taken is forgotten, as on Solana.

        Raises:
            WriteRefusedError: a block could not be written, and ``recover`` has not yet found the disk good again.
            ClockAstrayError: the machine's clock was set.
        """
        if self.write_fault:
            raise WriteRefusedError(self.write_fault)
        if astray := self._clock.fault():
            raise ClockAstrayError(astray)
        block = self._open or self._begin()
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
        self._tell(ChainEvent("processed", block.slot, (stored,), execution.changed))

    def _begin(self) -> _OpenBlock:
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
    def awaits_seal(self) -> bool:
        return bool(self._unsealed)

    def commit(self) -> None:
        """Signs and stores the open block; its transactions are confirmed, those of earlier blocks final.

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

    def seal(self) -> None:
        """Stores an empty block on top, so that everything before it is final.

        Raises:
            WriteRefusedError: it will be tried again.
        """
        if self._open is None and self._unsealed:
            self._store(self._begin(), empty=True)

    def _store(self, block: _OpenBlock, *, empty: bool = False) -> None:
        changes = self.bank.newest_changes()
        total = self.bank.accounts_hash_after(changes)
        entries = block.transactions
        header = Header(
            slot=block.slot,
            parent_slot=self.head.slot,
            parent_hash=self.head.hash,
            time_ms=block.time_ms,
            transaction_count=len(entries),
            transactions_hash=transactions_hash((t.raw, t.result) for t in entries),
            accounts_hash=total.digest(),
        )
        self._open = None
        progress = self._progress.plus(len(entries), sum(len(set(t.addresses)) for t in entries))
        snapshot = self._snapshot(header, progress.tally) if progress.due else None
        try:
            self.repository.append(header, sign(header, self.authority), entries, changes, snapshot)
        except WriteRefusedError as error:
            self.bank.undo_newest_layer()
            self.statuses.drop(block.slot)
            self.write_fault = str(error)
            raise
        self.bank.keep(total)
        self.head = header
        self._blockhashes.add_span(header, header.slot)
        self._progress = progress.snapshot_made() if snapshot else progress
        self._raise(ChainEvent("confirmed", header.slot, tuple(entries), tuple(changes)), empty=empty)
        self._forget()

    def _snapshot(self, head: Header, tally: Tally) -> SignedSnapshot:
        return SignedSnapshot.sign(Snapshot.of(bytes(self.genesis_hash), head, tally), self.authority)

    def snapshot_when_due(self) -> None:
        """Makes a snapshot of the last block when more than enough follows the last one, as after a whole check.

        Raises:
            WriteRefusedError: the disk is full.
        """
        if self._progress.due:
            self.repository.store_snapshot(self.head.slot, self._snapshot(self.head, self._progress.tally))
            self._progress = self._progress.snapshot_made()

    def _raise(self, stored: ChainEvent, *, empty: bool) -> None:
        """The block is stored: everything before it is final, itself only when nothing is in it."""
        final = [replace(event, level="finalized") for event in self._unsealed.values()]
        for event in final:
            self.bank.settle_oldest_layer()
            self.statuses.raise_to(event.slot, "finalized")
        if empty:
            self.bank.settle_oldest_layer()
            self._unsealed = {}
            final.append(ChainEvent("finalized", stored.slot))
        else:
            self.statuses.raise_to(stored.slot, "confirmed")
            self._unsealed = {stored.slot: stored}
        for event in final if empty else [*final, stored]:
            self._tell(event)

    def _tell(self, event: ChainEvent) -> None:
        for listener in self.listeners:
            listener(event)

    def _forget(self) -> None:
        height = self.height()
        if height - self._forgotten_at >= _FORGET_EVERY:
            self._forgotten_at = height
            self._blockhashes.forget_before(height - MAX_BLOCKHASH_AGE)
            self.statuses.forget_before(height - 2 * MAX_BLOCKHASH_AGE)

    @property
    def fault(self) -> str | None:
        """Why no transaction is taken now, or None."""
        return self.write_fault or self._clock.fault()

    def recover(self) -> None:
        """Takes transactions again if the disk takes a megabyte.

        Raises:
            WriteRefusedError: not yet.
        """
        self.repository.probe()
        self.write_fault = None

    def remember(self, first_slot: int) -> None:
        """Fills the queue of blockhashes and the statuses from the stored blocks, at start."""
        previous: Header | None = None
        for block in self.repository.blocks(first_slot):
            header = block.header
            if previous is not None:
                self._blockhashes.add_span(previous, header.slot)
            previous = header
            for stored in block.transactions:
                message = VersionedTransaction.from_bytes(stored.raw).message
                error = json.loads(stored.result)["err"]
                status = Status(header.slot, self.height_at(header.time_ms), error, "finalized")
                self.statuses.add(Signature.from_bytes(stored.signature), message.hash(), status)
        self._blockhashes.add_span(self.head, self.slot())

    def close(self) -> None:
        """Stores what is open."""
        try:
            self.commit()
        finally:
            self.repository.close()
