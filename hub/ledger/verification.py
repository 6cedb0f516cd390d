"""Verifies a whole log from its genesis, and says what was verified; trusts nothing but the keys it is given."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from hub.clock import rfc3339_s
from hub.ledger.bank import Bank
from hub.ledger.blocks import Header
from hub.ledger.countersignature import Countersignature
from hub.ledger.errors import LedgerDamagedError
from hub.ledger.opening import check_index
from hub.ledger.replay import Admission, Replay
from hub.ledger.store.log_check import LogCheck, named_authority
from hub.ledger.store.log_source import FolderLog, LogSource

_ADVICE = "Ask for a log whose head an auditor countersigned"


@dataclass(frozen=True)
class Wanted:
    """What the verifier knows or asks for beforehand."""

    genesis_hash: Hash | None = None
    auditor: Pubkey | None = None
    countersignatures: Sequence[Countersignature] = ()
    """Kept by the auditor, whatever the log itself still holds."""
    before_ms: int = 2**62
    """The day's end: ``Report.day_head`` is the last block before it."""


@dataclass(frozen=True)
class Report:
    """What is certain now."""

    authority: Pubkey
    genesis: Header
    head: Header
    day_head: Header | None
    blocks: int
    transactions: int
    executed: bool
    stored_accounts: bool
    countersigned: tuple[Countersignature, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        return {
            "verified": True,
            "authority": str(self.authority),
            "genesis_hash": str(Hash(self.genesis.hash)),
            "blocks": self.blocks,
            "transactions": self.transactions,
            "head": {
                "slot": self.head.slot,
                "hash": str(Hash(self.head.hash)),
                "time": rfc3339_s(self.head.time_ms // 1000),
            },
            "checked": {
                "links_and_signatures": True,
                "transactions_and_results_as_signed": True,
                "transaction_signatures_and_blockhashes": True,
                "executed_again": self.executed,
                "stored_accounts_and_index": self.stored_accounts,
            },
            "countersigned": [
                {"auditor": str(c.auditor), "slot": c.slot, "time": rfc3339_s(c.time_ms // 1000)}
                for c in self.countersigned
            ],
        }


@dataclass
class _Pass:
    """What one way through the log leaves behind."""

    genesis: Header
    day_head: Header | None = None
    hashes: dict[int, bytes] = field(default_factory=dict)


def verify(source: LogSource, wanted: Wanted, binaries: Iterable[bytes] | None) -> Report:
    """Reads the whole log once; without binaries nothing is run again.

    Raises:
        LedgerDamagedError: a block was changed, dropped or reordered (its slot is named), or a head that an auditor
            countersigned is not in the log.
        LedgerError: a program to run is missing.
    """
    authority = named_authority(source.genesis)
    replay = None if binaries is None else Replay(source.genesis, binaries)
    check = LogCheck(source.genesis, authority, advice=_ADVICE)
    words = [*source.countersignatures, *wanted.countersignatures]
    seen = _read(source, check, replay, wanted, {word.slot for word in words})
    if check.head is None or seen is None:
        raise LedgerDamagedError("Block 0 is missing")
    _check_words(words, seen, wanted.auditor)
    if isinstance(source, FolderLog):
        _check_folder(source, check)
    return Report(
        authority,
        seen.genesis,
        check.head,
        seen.day_head,
        check.tally.blocks,
        check.tally.transactions,
        executed=replay is not None,
        stored_accounts=isinstance(source, FolderLog),
        countersigned=tuple(w for w in words if wanted.auditor in (None, w.auditor)),
    )


def _read(source: LogSource, check: LogCheck, replay: Replay | None, wanted: Wanted, slots: set[int]) -> _Pass | None:
    seen: _Pass | None = None
    admission: Admission | None = None
    for block in source.blocks():
        header = block.header
        check.take(block)
        transactions = [VersionedTransaction.from_bytes(t.raw) for t in block.transactions]
        if seen is None or admission is None:
            _check_genesis(header, wanted)
            seen, admission = _Pass(header), Admission(header)
        elif wrong := admission.fault(header, transactions):
            raise LedgerDamagedError(f"Block {header.slot} can not be right: {wrong}")
        if replay is not None:
            replay.take(header, block, transactions)
        if header.time_ms < wanted.before_ms:
            seen.day_head = header
        if header.slot in slots:
            seen.hashes[header.slot] = header.hash
    return seen


def _check_genesis(genesis: Header, wanted: Wanted) -> None:
    if wanted.genesis_hash is not None and bytes(wanted.genesis_hash) != genesis.hash:
        raise LedgerDamagedError(f"Block 0 is that of another chain: its hash is {Hash(genesis.hash)}")


def _check_words(words: Sequence[Countersignature], seen: _Pass, auditor: Pubkey | None) -> None:
    for word in words:
        if not word.genuine or word.genesis_hash != seen.genesis.hash:
            raise LedgerDamagedError(
                f"The countersignature of block {word.slot} is not {word.auditor}'s for this chain"
            )
        if seen.hashes.get(word.slot) != word.block_hash:
            raise LedgerDamagedError(
                f"Block {word.slot}, as {word.auditor} countersigned it, is not in this log: "
                "the log was changed or cut off afterwards"
            )
    if auditor is not None and not any(word.auditor == auditor for word in words):
        raise LedgerDamagedError(f"No block of this log was countersigned by {auditor}")


def _check_folder(source: FolderLog, check: LogCheck) -> None:
    """What the file holds besides its log: it must all follow from it."""
    repository, head = source.repository, check.head
    check_index(repository, check.tally, check.address_index_sum, -1)
    if head is None or Bank(repository.accounts()).accounts_hash != head.accounts_hash:
        raise LedgerDamagedError("The stored accounts are not those that the last block signed")
