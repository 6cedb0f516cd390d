"""Runs a checked log again from the genesis: who was let in, what each transaction did, and every block's accounts."""

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Mapping

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from hub.ledger.bank import Bank
from hub.ledger.blocks import MAX_BLOCKHASH_AGE, SLOT_MS, Header, height_at, slot_time_ms
from hub.ledger.errors import LedgerDamagedError, LedgerError
from hub.ledger.genesis import Genesis, first_accounts
from hub.ledger.guarded_clock import MAX_STEP_MS
from hub.ledger.recent import Blockhashes
from hub.ledger.results import transaction_meta
from hub.ledger.store.repository import StoredBlock, StoredTransaction

_FORGET_EVERY = 256
_MOST_SLOTS_BACK = 2 * MAX_STEP_MS // SLOT_MS
_TOLERANCE = 1
"""A transaction is let in a moment before its block begins, and a height may begin in between."""


class Admission:
    """What got into the blocks had every signature, a blockhash of this chain that lived, and came once."""

    def __init__(self, genesis: Header) -> None:
        self._genesis_ms = genesis.time_ms
        self._head = genesis
        self._blockhashes = Blockhashes(genesis.time_ms)
        self._blockhashes.add_span(genesis, genesis.slot)
        self._spans: deque[tuple[Header, int]] = deque()
        """Blocks whose slots may have given a living blockhash, with the slot of the block after each."""
        self._messages: dict[Hash, int] = {}
        self._forgotten_at = 0

    def fault(self, header: Header, transactions: Iterable[VersionedTransaction]) -> str | None:
        """Why one of the next block's transactions should not be in it, or None."""
        height = height_at(self._genesis_ms, header.time_ms)
        self._blockhashes.add_span(self._head, header.slot)
        self._spans.append((self._head, header.slot))
        while height_at(self._genesis_ms, slot_time_ms(*self._spans[0])) < height - 2 * MAX_BLOCKHASH_AGE:
            self._spans.popleft()
        for position, transaction in enumerate(transactions):
            wrong = self._one(transaction, height)
            if wrong:
                return f"its transaction {position} {wrong}"
        self._head = header
        self._blockhashes.add_span(header, header.slot)
        if height - self._forgotten_at >= _FORGET_EVERY:
            self._forgotten_at = height
            oldest = height - 2 * MAX_BLOCKHASH_AGE
            self._blockhashes.forget_before(oldest)
            self._messages = {message: at for message, at in self._messages.items() if at >= oldest}
        return None

    def _one(self, transaction: VersionedTransaction, height: int) -> str | None:
        message = transaction.message
        name = message.hash()
        if not all(transaction.verify_with_results()):
            return "lacks a valid signature"
        if name in self._messages:
            return "was in a block before"
        blockhash = message.recent_blockhash
        if not self._blockhashes.is_valid(blockhash, height - _TOLERANCE) and not self._of_a_moment_undone(blockhash):
            return "has a blockhash that was unknown or too old"
        self._messages[name] = height
        return None

    def _of_a_moment_undone(self, wanted: Hash) -> bool:
        """When the clock is put back a little, the next block comes before slots whose blockhashes were given away."""
        return any(
            self._blockhashes.at(head, slot) == wanted
            for head, after in self._spans
            for slot in range(after + 1, after + _MOST_SLOTS_BACK)
        )


class Replay:
    """The accounts as they follow from the genesis and the transactions alone."""

    def __init__(self, genesis: str, binaries: Iterable[bytes]) -> None:
        """Needs the programs that the genesis names, found by their SHA-256.

        Raises:
            LedgerError: one is missing.
        """
        described = json.loads(genesis)
        founding = Genesis.from_json(json.dumps(described["genesis"]))
        programs = _programs(described["programs"], binaries)
        accounts = first_accounts(founding, Pubkey.from_string(described["authority"]), programs)
        self._bank = Bank(accounts.items())

    @property
    def accounts_hash(self) -> bytes:
        return self._bank.accounts_hash

    def take(self, header: Header, block: StoredBlock, transactions: Iterable[VersionedTransaction]) -> None:
        """Runs a block's transactions.

        Raises:
            LedgerDamagedError: a result or the accounts are not those that the authority signed.
        """
        bank = self._bank
        if header.slot > 0:
            bank.set_clock(header.slot, header.time_ms)
            bank.begin_layer()
            for position, (stored, transaction) in enumerate(zip(block.transactions, transactions, strict=True)):
                if not self._same(stored, transaction):
                    raise LedgerDamagedError(f"{_impossible(header)}transaction {position}, run again, ends otherwise")
            changes = bank.newest_changes()
            bank.keep(bank.accounts_hash_after(changes))
            bank.settle_oldest_layer()
        if bank.accounts_hash != header.accounts_hash:
            raise LedgerDamagedError(f"{_impossible(header)}transactions, run again, leave other accounts")

    def _same(self, stored: StoredTransaction, transaction: VersionedTransaction) -> bool:
        execution = self._bank.execute(transaction)
        if execution.failed and not execution.paid_fee:
            return False
        meta = transaction_meta(execution, transaction.message.header.num_required_signatures)
        return json.dumps(meta, separators=(",", ":")) == stored.result


def _impossible(header: Header) -> str:
    return f"Block {header.slot} can not be right: its "


def _programs(named: Mapping[str, str], binaries: Iterable[bytes]) -> dict[Pubkey, bytes]:
    by_hash = {hashlib.sha256(binary).hexdigest(): binary for binary in binaries}
    for address, sha256 in named.items():
        if sha256 not in by_hash:
            raise LedgerError(
                f"The program {address} of the genesis (SHA-256 {sha256}) is not at hand, so that nothing can be run "
                "again: name a folder that holds it with --programs, or check without running: --no-execute"
            )
    return {Pubkey.from_string(address): by_hash[sha256] for address, sha256 in named.items()}
