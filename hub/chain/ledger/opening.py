"""Opens a ledger file, or begins it with the genesis, and checks every block and account before anything is served."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from hub.chain.ledger.bank import Bank
from hub.chain.ledger.blocks import MAX_BLOCKHASH_AGE, SLOT_MS, Header, fault, sign, transactions_hash
from hub.chain.ledger.chain import Chain
from hub.chain.ledger.errors import LedgerDamagedError, LedgerError
from hub.chain.ledger.genesis import Genesis, first_accounts
from hub.chain.ledger.repository import Repository, StoredTransaction
from hub.chain.ledger.steady import SteadyClock, check_gap
from hub.chain.ledger.touched import Touched, named_by
from hub.clock import Clock


def open_chain(
    path: Path,
    authority: Keypair,
    clock: Clock,
    genesis: Callable[[], tuple[Genesis, Mapping[Pubkey, bytes]]],
    max_mib: int | None = None,
    *,
    gap_days: int = 0,
) -> Chain:
    """Opens the ledger file, or begins it with the genesis, and checks every block and account in it.

    Raises:
        LedgerError: another version's file, another authority's, or a changed one.
        LedgerClockError: the clock is further from the last block than plausible, and than ``gap_days``.
    """
    steady = clock if isinstance(clock, SteadyClock) else SteadyClock(clock, clock.now_ms)
    repository = Repository(path, max_mib)
    try:
        if repository.empty:
            _begin(repository, authority, clock, *genesis())
        return _checked(repository, authority, steady, gap_days)
    except BaseException:
        repository.close()
        raise


def _begin(
    repository: Repository, authority: Keypair, clock: Clock, genesis: Genesis, programs: Mapping[Pubkey, bytes]
) -> None:
    accounts = first_accounts(genesis, authority.pubkey(), programs)
    described: dict[str, Any] = {
        "authority": str(authority.pubkey()),
        "genesis": json.loads(genesis.to_json()),
        "programs": {str(key): hashlib.sha256(binary).hexdigest() for key, binary in programs.items()},
    }
    text = json.dumps(described, sort_keys=True)
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


def _checked(repository: Repository, authority: Keypair, clock: SteadyClock, gap_days: int) -> Chain:
    genesis = repository.meta("genesis") or ""
    _check_authority(genesis, authority)
    oldest_ms = clock.now_ms() - 2 * MAX_BLOCKHASH_AGE * SLOT_MS
    first: Header | None = None
    previous: Header | None = None
    remembered = count = 0
    touched = Touched()
    for block in repository.blocks():
        header = block.header
        wrong = fault(header, block.signature, previous, authority.pubkey())
        if wrong is None:
            wrong = _content_fault(header, block.transactions, genesis if previous is None else None)
        if wrong:
            raise LedgerDamagedError(f"Block {header.slot} was changed: {wrong}. Restore the folder from a backup")
        first = first or header
        previous = header
        remembered = header.slot if header.time_ms < oldest_ms else remembered
        count += header.transaction_count
        for position, stored in enumerate(block.transactions):
            touched.add_all(named_by(stored), header.slot, position)
    if first is None or previous is None:
        raise LedgerDamagedError("Block 0 is missing: restore the ledger's folder from a backup")
    _check_index(repository, count, touched)
    bank = Bank(repository.accounts())
    if bank.accounts_hash != previous.accounts_hash:
        raise LedgerDamagedError(
            f"The accounts are not those that block {previous.slot} signed: restore the ledger's folder from a backup"
        )
    check_gap(previous, clock.now_ms(), gap_days)
    chain = Chain(repository, authority, clock, first, bank)
    chain.remember(remembered)
    return chain


def _check_authority(genesis: str, authority: Keypair) -> None:
    try:
        named = json.loads(genesis)["authority"]
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerDamagedError("The ledger's genesis can not be read: restore its folder from a backup") from error
    if named != str(authority.pubkey()):
        raise LedgerError(
            f"The ledger's blocks are signed by {named}, authority.json is {authority.pubkey()}: put the right key back"
        )


def _content_fault(header: Header, transactions: tuple[StoredTransaction, ...], genesis: str | None) -> str | None:
    if genesis is not None:
        same = hashlib.sha256(genesis.encode()).digest() == header.transactions_hash
        return None if same else "its genesis is another one"
    if len(transactions) != header.transaction_count:
        return f"it has {len(transactions)} of its {header.transaction_count} transactions"
    if transactions_hash((t.raw, t.result) for t in transactions) != header.transactions_hash:
        return "its transactions or their results are not those that were signed"
    # a transaction begins with the number of its signatures, one byte here, and the first of them is its name
    same = all(t.raw[1 : 1 + Signature.LENGTH] == t.signature for t in transactions)
    return None if same else "a transaction stands under another signature than its own"


def _check_index(repository: Repository, count: int, touched: Touched) -> None:
    """No transaction outside of the blocks, and the index of addresses is what the transactions say."""
    if repository.transaction_count() != count:
        raise LedgerDamagedError(
            f"The ledger holds {repository.transaction_count()} transactions, its blocks {count}: "
            "restore the ledger's folder from a backup"
        )
    stored = Touched()
    for address, slot, position in repository.touched():
        stored.add(address, slot, position)
    if stored != touched or repository.misplaced():
        raise LedgerDamagedError(
            "The index of addresses does not belong to the transactions: restore the ledger's folder from a backup"
        )
