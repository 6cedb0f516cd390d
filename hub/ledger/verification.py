"""Verifies a whole log from its genesis and reports what was verified; it trusts only the keys that it is given."""

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
from hub.ledger.replay import AdmissionCheck, Replay
from hub.ledger.store.log_check import LogCheck, authority_of
from hub.ledger.store.log_source import FolderLog, LogSource

_ADVICE = "Ask for a log whose head an auditor countersigned"


@dataclass(frozen=True)
class Expected:
    """What the caller expects of the log."""

    genesis_hash: Hash | None = None
    auditor: Pubkey | None = None
    countersignatures: Sequence[Countersignature] = ()
    """Kept by the auditor, besides those that the log holds."""
    before_ms: int = 2**62
    """End of a day, Unix milliseconds: ``Report.day_head`` is the last block before it."""


@dataclass(frozen=True)
class Report:
    """What a verification established."""

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
                {"auditor": str(each.auditor), "slot": each.slot, "time": rfc3339_s(each.time_ms // 1000)}
                for each in self.countersigned
            ],
        }


@dataclass
class _LogScan:
    """What one pass through the log collects."""

    genesis: Header
    day_head: Header | None = None
    hashes: dict[int, bytes] = field(default_factory=dict)


def verify(source: LogSource, expected: Expected, binaries: Iterable[bytes] | None) -> Report:
    """Reads the whole log once and checks it; ``binaries`` are the programs, without which nothing is run again.

    Raises:
        LedgerDamagedError: a block was changed, dropped or reordered (its slot is named), or a head that an auditor
            countersigned is not in the log.
        LedgerError: a program to run is missing.
    """
    authority = authority_of(source.genesis)
    replay = None if binaries is None else Replay(source.genesis, binaries)
    check = LogCheck(source.genesis, authority, advice=_ADVICE)
    countersignatures = [*source.countersignatures, *expected.countersignatures]
    scan = _read(source, check, replay, expected, {each.slot for each in countersignatures})
    if check.head is None or scan is None:
        raise LedgerDamagedError("Block 0 is missing")
    _check_countersignatures(countersignatures, scan, expected.auditor)
    if isinstance(source, FolderLog):
        _check_folder(source, check)
    return Report(
        authority,
        scan.genesis,
        check.head,
        scan.day_head,
        check.counts.blocks,
        check.counts.transactions,
        executed=replay is not None,
        stored_accounts=isinstance(source, FolderLog),
        countersigned=tuple(each for each in countersignatures if expected.auditor in (None, each.auditor)),
    )


def _read(
    source: LogSource, check: LogCheck, replay: Replay | None, expected: Expected, slots: set[int]
) -> _LogScan | None:
    scan: _LogScan | None = None
    admission: AdmissionCheck | None = None
    for block in source.blocks():
        header = block.header
        check.check_next(block)
        transactions = [VersionedTransaction.from_bytes(stored.raw) for stored in block.transactions]
        if scan is None or admission is None:
            _check_genesis(header, expected)
            scan, admission = _LogScan(header), AdmissionCheck(header)
        elif reason := admission.fault(header, transactions):
            raise LedgerDamagedError(f"Block {header.slot} can not be right: {reason}")
        if replay is not None:
            replay.run_block(header, block, transactions)
        if header.time_ms < expected.before_ms:
            scan.day_head = header
        if header.slot in slots:
            scan.hashes[header.slot] = header.hash
    return scan


def _check_genesis(genesis: Header, expected: Expected) -> None:
    if expected.genesis_hash is not None and bytes(expected.genesis_hash) != genesis.hash:
        raise LedgerDamagedError(f"Block 0 is that of another chain: its hash is {Hash(genesis.hash)}")


def _check_countersignatures(
    countersignatures: Sequence[Countersignature], scan: _LogScan, auditor: Pubkey | None
) -> None:
    for each in countersignatures:
        if not each.genuine or each.genesis_hash != scan.genesis.hash:
            raise LedgerDamagedError(
                f"The countersignature of block {each.slot} is not {each.auditor}'s for this chain"
            )
        if scan.hashes.get(each.slot) != each.block_hash:
            raise LedgerDamagedError(
                f"Block {each.slot}, as {each.auditor} countersigned it, is not in this log: "
                "the log was changed or cut off afterwards"
            )
    if auditor is not None and not any(each.auditor == auditor for each in countersignatures):
        raise LedgerDamagedError(f"No block of this log was countersigned by {auditor}")


def _check_folder(source: FolderLog, check: LogCheck) -> None:
    """Checks that the accounts and the index in the file follow from its log."""
    repository, head = source.repository, check.head
    check_index(repository, check.counts, check.address_index_sum, -1)
    if head is None or Bank(repository.accounts()).accounts_hash != head.accounts_hash:
        raise LedgerDamagedError("The stored accounts are not those that the last block signed")
