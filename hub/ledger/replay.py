"""Runs a checked log again from the genesis and compares admission, results and accounts of every block."""

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
from hub.ledger.store.queries import StoredBlock, StoredTransaction

_FORGET_EVERY_HEIGHTS = 256
_MAX_SLOTS_BACK = 2 * MAX_STEP_MS // SLOT_MS
_TOLERANCE = 1
"""Heights. A transaction is admitted a moment before its block begins, and a height may begin in between."""


class AdmissionCheck:
    """Checks that each transaction had all signatures and a valid blockhash, and stands in one block only."""

    def __init__(self, genesis: Header) -> None:
        self._genesis_ms = genesis.time_ms
        self._head = genesis
        self._blockhashes = Blockhashes(genesis.time_ms)
        self._blockhashes.add_span(genesis, genesis.slot)
        self._spans: deque[tuple[Header, int]] = deque()
        """Blocks whose blockhashes may still be valid, each with the slot of the block after it."""
        self._seen_messages: dict[Hash, int] = {}
        self._forgotten_at_height = 0

    def fault(self, header: Header, transactions: Iterable[VersionedTransaction]) -> str | None:
        """Returns why one of the next block's transactions can not be in it, or None."""
        height = height_at(self._genesis_ms, header.time_ms)
        self._blockhashes.add_span(self._head, header.slot)
        self._spans.append((self._head, header.slot))
        while height_at(self._genesis_ms, slot_time_ms(*self._spans[0])) < height - 2 * MAX_BLOCKHASH_AGE:
            self._spans.popleft()
        for position, transaction in enumerate(transactions):
            reason = self._transaction_fault(transaction, height)
            if reason:
                return f"its transaction {position} {reason}"
        self._head = header
        self._blockhashes.add_span(header, header.slot)
        if height - self._forgotten_at_height >= _FORGET_EVERY_HEIGHTS:
            self._forgotten_at_height = height
            oldest_height = height - 2 * MAX_BLOCKHASH_AGE
            self._blockhashes.forget_before(oldest_height)
            self._seen_messages = {key: seen for key, seen in self._seen_messages.items() if seen >= oldest_height}
        return None

    def _transaction_fault(self, transaction: VersionedTransaction, height: int) -> str | None:
        message = transaction.message
        message_hash = message.hash()
        if not all(transaction.verify_with_results()):
            return "lacks a valid signature"
        if message_hash in self._seen_messages:
            return "was in a block before"
        blockhash = message.recent_blockhash
        known = self._blockhashes.is_valid(blockhash, height - _TOLERANCE)
        if not known and not self._was_given_before_a_clock_correction(blockhash):
            return "has a blockhash that was unknown or too old"
        self._seen_messages[message_hash] = height
        return None

    def _was_given_before_a_clock_correction(self, blockhash: Hash) -> bool:
        """Returns whether it is of a slot that the next block replaced, because the clock was put back a little."""
        return any(
            self._blockhashes.at(head, slot) == blockhash
            for head, next_slot in self._spans
            for slot in range(next_slot + 1, next_slot + _MAX_SLOTS_BACK)
        )


class Replay:
    """Computes the accounts from the genesis and the transactions alone."""

    def __init__(self, genesis: str, binaries: Iterable[bytes]) -> None:
        """Starts from a genesis as JSON; ``binaries`` hold the programs that it names by SHA-256.

        Raises:
            LedgerError: a program is missing.
        """
        content = json.loads(genesis)
        first = Genesis.from_json(json.dumps(content["genesis"]))
        programs = _programs(content["programs"], binaries)
        accounts = first_accounts(first, Pubkey.from_string(content["authority"]), programs)
        self._bank = Bank(accounts.items())

    @property
    def accounts_hash(self) -> bytes:
        return self._bank.accounts_hash

    def run_block(self, header: Header, block: StoredBlock, transactions: Iterable[VersionedTransaction]) -> None:
        """Runs a block's transactions; the blocks come in order.

        Raises:
            LedgerDamagedError: a result or the accounts are not those that the authority signed.
        """
        bank = self._bank
        if header.slot > 0:
            bank.set_clock(header.slot, header.time_ms)
            bank.begin_layer()
            for position, (stored, transaction) in enumerate(zip(block.transactions, transactions, strict=True)):
                if not self._has_same_result(stored, transaction):
                    raise LedgerDamagedError(f"{_wrong_block(header)}transaction {position}, run again, ends otherwise")
            changes = bank.newest_changes()
            bank.set_accounts_hash(bank.accounts_hash_after(changes))
            bank.finalise_oldest_layer()
        if bank.accounts_hash != header.accounts_hash:
            raise LedgerDamagedError(f"{_wrong_block(header)}transactions, run again, leave other accounts")

    def _has_same_result(self, stored: StoredTransaction, transaction: VersionedTransaction) -> bool:
        execution = self._bank.execute(transaction)
        if execution.failed and not execution.paid_fee:
            return False
        meta = transaction_meta(execution, transaction.message.header.num_required_signatures)
        return json.dumps(meta, separators=(",", ":")) == stored.result


def _wrong_block(header: Header) -> str:
    return f"Block {header.slot} can not be right: its "


def _programs(hashes: Mapping[str, str], binaries: Iterable[bytes]) -> dict[Pubkey, bytes]:
    by_hash = {hashlib.sha256(binary).hexdigest(): binary for binary in binaries}
    for address, sha256 in hashes.items():
        if sha256 not in by_hash:
            raise LedgerError(
                f"The program {address} of the genesis (SHA-256 {sha256}) is not at hand, so that nothing can be run "
                "again: name a folder that holds it with --programs, or check without running: --no-execute"
            )
    return {Pubkey.from_string(address): by_hash[sha256] for address, sha256 in hashes.items()}
