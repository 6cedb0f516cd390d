"""What holds after every transaction, whatever it was, read from the programs' accounts."""

from collections.abc import Iterable, Sequence
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


def check_money(exchange: Exchange, wallets: Iterable[Pubkey], starts: Iterable[int]) -> None:
    """Balances and escrows = pool, vaults = charges of the closed settlements; no credit exceeds its balance."""
    chain, market = exchange.chain, exchange.chain.account("trading", MARKET)
    accounts = found(chain, "trading", map(account_address, wallets))
    settlements = found(chain, "trading", map(settlement_address, starts))
    owed = sum(one.balance_micros for one in accounts) + sum(one.escrow_micros for one in settlements)
    assert owed == market.accounts_total_micros == exchange.tokens(POOL)
    assert sum(map(charges_micros, settlements)) == market.charges_total_micros
    kept = market.charges_total_micros - market.collected_total_micros
    assert sum(map(exchange.tokens, VAULTS.values())) == kept
    assert market.account_count == len(accounts)
    assert sorted(one.number for one in accounts) == list(range(len(accounts)))
    crediting = {one.start_s for one in settlements if one.receiving and one.status in {OPEN, RETURNING}}
    assert sorted(filter(None, market.crediting_starts_s)) == sorted(crediting)
    for account in accounts:
        assert open_credit(account, market.crediting_starts_s) <= account.balance_micros


def check_settlements(chain: Chain, starts: Iterable[int]) -> None:
    """Settled once: what has moved is within the commitment, and all of it when closed."""
    for one in found(chain, "trading", map(settlement_address, starts)):
        assert one.sold_wh == one.bought_wh
        assert one.cursor <= one.line_count
        assert one.returned_count <= one.cursor
        sums = (one.settled_sold_wh, one.settled_bought_wh, one.settled_credit_micros, one.settled_debit_micros)
        committed = (one.sold_wh, one.bought_wh, one.credit_micros, one.debit_micros)
        assert all(sum_ <= limit for sum_, limit in zip(sums, committed, strict=True))
        if one.status in {OPEN, RETURNING}:
            assert one.escrow_micros == one.settled_debit_micros - one.settled_credit_micros
        else:
            assert one.escrow_micros == 0
        if one.status == CLOSED:
            assert sums == committed
            assert one.cursor == one.line_count


def check_energy(exchange: Exchange, starts: Iterable[int]) -> None:
    """Minted - burned = held; minted once, and what revision 1 attested."""
    chain, state = exchange.chain, exchange.chain.account("energy_token", ENERGY_STATE)
    minted = found(chain, "energy_token", map(minted_address, starts))
    assert state.minted_wh == sum(one.wh for one in minted)
    assert state.burned_wh == sum(one.wh for one in minted if one.burned)
    held = state.minted_wh - state.burned_wh
    assert held == exchange.supply(ENERGY_MINT) == exchange.tokens(ENERGY_POOL)
    for one in minted:
        assert chain.account("oracle", interval_address(one.start_s)).export_wh == one.wh


def check_burned(chain: Chain, starts: Iterable[int]) -> None:
    """An interval's energy is burned when its settlement is over, and not before."""
    for one in found(chain, "energy_token", map(minted_address, starts)):
        over = [s.status not in {OPEN, RETURNING} for s in found(chain, "trading", [settlement_address(one.start_s)])]
        assert bool(one.burned) == (over == [True])


def check_certificates(certified: Certified, meters: Sequence[str], starts: Iterable[int]) -> None:
    """Certificates of an interval stay within its last revision's export, and their holdings make them up."""
    chain = certified.campus.chain
    for start in starts:
        made = [pdas.certificate(meter, start) for meter in meters]
        made = [address for address in made if chain.exists(address)]
        certified_wh = 0
        for address in made:
            certified.check(address)
            certificate = chain.account("energy_token", address)
            certified_wh += certificate.face_value_wh
            last = chain.account("oracle", interval_address(start, certificate.revision))
            assert not chain.exists(interval_address(start, certificate.revision + 1))
            assert certified_wh <= last.export_wh
            assert certificate.evidence_root == last.merkle_root


def check_electorate(chain: Chain, wallets: Iterable[Pubkey]) -> None:
    """The registry counts the active participants; rates follow each other in time."""
    people = found(chain, "registry", map(participant_address, wallets))
    assert chain.account("registry", REGISTRY).participant_count == sum(one.status == ACTIVE for one in people)
    effective = [rates.effective_from_s for rates in chain.account("governance", PARAMS).rate_sets]
    assert effective == sorted(set(effective))


def charges_micros(settlement: Any) -> int:
    """What a closed settlement has brought the vaults."""
    if settlement.status != CLOSED:
        return 0
    rates = settlement.rates
    per_kwh_mills: int = rates.wheeling_mills + rates.platform_mills + rates.loss_mills
    return per_kwh_mills * int(settlement.bought_wh)


def open_credit(account: Any, crediting_starts_s: Sequence[int]) -> int:
    """What settlements may still take back from an account."""
    entries = zip(account.credits.entries, crediting_starts_s, strict=True)
    used_bits = account.credits.used_bits
    return sum(
        credit.amount_micros
        for index, (credit, start_s) in enumerate(entries)
        if used_bits >> index & 1 and credit.start_s == start_s
    )


def found(chain: Chain, program: str, addresses: Iterable[Pubkey]) -> list[Any]:
    """Those of the accounts that there are."""
    return [chain.account(program, address) for address in addresses if chain.exists(address)]
