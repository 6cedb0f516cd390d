"""What holds after every transaction, whatever it was, read from the programs' accounts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

from solders.pubkey import Pubkey

from hub.chain import pdas
from support.programs.campus_chain import PARAMS, REGISTRY, interval_address
from support.programs.certified import Certified
from support.programs.market_chain import (
    CLOSED,
    ENERGY_MINT,
    ENERGY_POOL,
    ENERGY_STATE,
    MARKET,
    OPEN,
    POOL,
    RETURNING,
    VAULTS,
    Exchange,
    account_address,
    minted_address,
    participant_address,
    settlement_address,
)
from support.programs.svm import Chain

ACTIVE = 1
MINTABLE_S = 7 * 86_400
"""Seconds after its end up to which an interval's attestation is minted."""


def check_money(exchange: Exchange, wallets: Iterable[Pubkey], starts: Iterable[int]) -> None:
    """Balances and escrows = pool, vaults = charges of the closed settlements; no credit exceeds its balance."""
    chain, market = exchange.chain, exchange.chain.account("trading", MARKET)
    accounts = existing_accounts(chain, "trading", map(account_address, wallets))
    settlements = existing_accounts(chain, "trading", map(settlement_address, starts))
    owed = sum(account.balance_micros for account in accounts) + sum(
        settlement.escrow_micros for settlement in settlements
    )
    assert owed == market.accounts_total_micros == exchange.tokens(POOL)
    assert sum(map(charges_micros, settlements)) == market.charges_total_micros
    kept = market.charges_total_micros - market.collected_total_micros
    assert sum(map(exchange.tokens, VAULTS.values())) == kept
    assert market.account_count == len(accounts)
    assert sorted(account.number for account in accounts) == list(range(len(accounts)))
    crediting = {
        settlement.start_s
        for settlement in settlements
        if settlement.receiving and settlement.status in {OPEN, RETURNING}
    }
    assert sorted(filter(None, market.crediting_starts_s)) == sorted(crediting)
    for account in accounts:
        assert open_credit(account, market.crediting_starts_s) <= account.balance_micros


def check_settlements(chain: Chain, starts: Iterable[int]) -> None:
    """Settled once: what has moved is within the commitment, and all of it when closed."""
    for settlement in existing_accounts(chain, "trading", map(settlement_address, starts)):
        assert settlement.sold_wh == settlement.bought_wh
        assert settlement.cursor <= settlement.line_count
        assert settlement.returned_count <= settlement.cursor
        sums = (
            settlement.settled_sold_wh,
            settlement.settled_bought_wh,
            settlement.settled_credit_micros,
            settlement.settled_debit_micros,
        )
        committed = (settlement.sold_wh, settlement.bought_wh, settlement.credit_micros, settlement.debit_micros)
        assert all(sum_ <= limit for sum_, limit in zip(sums, committed, strict=True))
        if settlement.status in {OPEN, RETURNING}:
            assert settlement.escrow_micros == settlement.settled_debit_micros - settlement.settled_credit_micros
        else:
            assert settlement.escrow_micros == 0
        if settlement.status == CLOSED:
            assert sums == committed
            assert settlement.cursor == settlement.line_count


def check_energy(exchange: Exchange, starts: Iterable[int]) -> None:
    """Minted - burned = held; minted once, and what revision 1 attested, or nothing if it came after seven days."""
    chain, state = exchange.chain, exchange.chain.account("energy_token", ENERGY_STATE)
    minted = existing_accounts(chain, "energy_token", map(minted_address, starts))
    assert state.minted_wh == sum(interval.wh for interval in minted)
    assert state.burned_wh == sum(interval.wh for interval in minted if interval.burned)
    held = state.minted_wh - state.burned_wh
    assert held == exchange.supply(ENERGY_MINT) == exchange.tokens(ENERGY_POOL)
    for interval in minted:
        first = chain.account("oracle", interval_address(interval.start_s))
        assert interval.wh == (first.export_wh if first.attested_at_s <= first.end_s + MINTABLE_S else 0)


def check_burned(chain: Chain, starts: Iterable[int]) -> None:
    """An interval's energy is burned when its settlement is over, and not before."""
    for minted in existing_accounts(chain, "energy_token", map(minted_address, starts)):
        settlements = existing_accounts(chain, "trading", [settlement_address(minted.start_s)])
        is_over = any(settlement.status not in {OPEN, RETURNING} for settlement in settlements)
        assert bool(minted.burned) == is_over


def check_certificates(certified: Certified, meters: Sequence[str], starts: Iterable[int]) -> None:
    """What certificates count is what a revision attests, and producers owe what was issued beyond it."""
    chain, issued_wh, counted_wh = certified.campus.chain, Counter[Pubkey](), Counter[Pubkey]()
    attested_wh = Counter[tuple[int, int]]()
    for start, meter in product(starts, meters):
        if not chain.exists(pdas.certificate(meter, start)):
            continue
        first = certified.certificate(meter, start)
        made = [certified.certificate(meter, start, number) for number in range(first.certificate_count)]
        for number, certificate in enumerate(made):
            certified.check(pdas.certificate(meter, start, number))
            assert (certificate.number, certificate.producer) == (number, first.producer)
            followed = chain.account("oracle", interval_address(start, certificate.revision))
            assert certificate.evidence_root == followed.merkle_root
            issued_wh[first.producer] += certificate.face_value_wh
        revisions = [certificate.revision for certificate in made]
        assert revisions == sorted(set(revisions)) and revisions[-1] <= first.counted_revision
        newest = certified.attested[start, first.counted_revision][meter]
        assert first.counted_wh == newest.certifiable_wh
        counted_wh[first.producer] += first.counted_wh
        attested_wh[start, first.counted_revision] += first.counted_wh
    for (start, revision), wh in attested_wh.items():
        assert wh <= chain.account("oracle", interval_address(start, revision)).export_wh
    for producer, wh in issued_wh.items():
        assert wh == counted_wh[producer] + certified.debt_wh(producer)


def check_electorate(chain: Chain, wallets: Iterable[Pubkey]) -> None:
    """The registry counts the active participants; rates follow each other in time."""
    people = existing_accounts(chain, "registry", map(participant_address, wallets))
    assert chain.account("registry", REGISTRY).participant_count == sum(person.status == ACTIVE for person in people)
    effective = [rates.effective_from_s for rates in chain.account("governance", PARAMS).rate_sets]
    assert effective == sorted(set(effective))


def charges_micros(settlement: Any) -> int:
    """Returns the micros that a closed settlement has brought the vaults."""
    if settlement.status != CLOSED:
        return 0
    rates = settlement.rates
    per_kwh_mills: int = rates.wheeling_mills + rates.platform_mills + rates.loss_mills
    return per_kwh_mills * int(settlement.bought_wh)


def open_credit(account: Any, crediting_starts_s: Sequence[int]) -> int:
    """Returns the micros that settlements can still take back from an account."""
    entries = zip(account.credits.entries, crediting_starts_s, strict=True)
    used_bits = account.credits.used_bits
    return sum(
        credit.amount_micros
        for index, (credit, start_s) in enumerate(entries)
        if used_bits >> index & 1 and credit.start_s == start_s
    )


def existing_accounts(chain: Chain, program: str, addresses: Iterable[Pubkey]) -> list[Any]:
    """Returns the accounts that exist, decoded, in the order of their addresses."""
    return [chain.account(program, address) for address in addresses if chain.exists(address)]
