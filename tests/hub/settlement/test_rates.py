"""Governance's rates are copied into the database, and clearing and settlement follow a change of them."""

from pathlib import Path
from uuid import UUID

import pytest
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.instructions import governance
from hub.chain.instructions.governance import Rates as ChainRates
from hub.clock import ManualClock, SystemClock, at_s
from hub.market import repository
from hub.market.orders import Rates, Trade
from hub.postgres.db import Pool
from hub.postgres.lease import LeaseLostError
from hub.settlement.plan import plan
from hub.settlement.rates import NoGovernanceError, RatesContradictError, RatesCopier, copy_rates, governed_rates
from hub.settlement.reconcile import reconcile_due
from hub.units import PriceMills, Wh
from support.programs.campus_chain import INTERVAL_S, PARAMS, TIME_LOCK_S, rate_set, schedule_rates
from support.programs.chain_lines import ChainLine
from support.programs.market_chain import founded_exchange
from support.rows.site_rows import add_rates, lead, lost_lease
from support.servers.ledger import new_ledger
from support.servers.nodes import NO_CHAIN
from support.settlement.campus import ENERGY, SettlingCampus

FIRST = Rates(*map(PriceMills, (100, 25, 5, 2200, 5000)))


async def stored_rates(pool: Pool) -> dict[int, Rates]:
    async with pool.acquire() as connection:
        return await repository.all_rates(connection)


async def test_what_governance_decides_is_copied_once(lone_campus: SettlingCampus) -> None:
    pool, chain, keys = lone_campus.pool, lone_campus.chain, lone_campus.keys
    await pool.execute("DELETE FROM rates")
    lease, clock = await lead(pool), ManualClock(SystemClock().now_ms())
    assert await copy_rates(pool, lease, clock, chain) == [0]
    assert await stored_rates(pool) == {0: FIRST}
    effective_s = SystemClock().now_ms() // 1000 + 172_800 + 3600
    change = ChainRates(effective_s, 120, 25, 5, 2300, 5100)
    index = (await chain.account("governance", "Authority", pdas.governance_authority())).proposal_count
    payer, members = keys.fee_payer.pubkey(), keys.members
    proposal = governance.propose_rates(payer, members[0].pubkey(), index, change)
    await chain.run([proposal], [keys.fee_payer, members[0]])
    assert await copy_rates(pool, lease, clock, chain) == []
    approval = [governance.approve(members[1].pubkey(), index), governance.execute(index)]
    await chain.run(approval, [keys.fee_payer, members[1]])
    assert await copy_rates(pool, lease, clock, chain) == [], "it can still be replaced"
    clock.advance(2 * 3_600_000)
    assert await copy_rates(pool, lease, clock, chain) == [effective_s]
    assert await copy_rates(pool, lease, clock, chain) == []
    async with pool.acquire() as connection:
        assert await repository.rates_at(connection, effective_s - 1) == FIRST
        after = await repository.rates_at(connection, effective_s)
    assert (after.charges_mills, after.export_tariff_mills, after.import_tariff_mills) == (150, 2300, 5100)


@pytest.mark.parametrize(("from_s", "wheeling_mills"), [(0, 101), (1_000_000, 101)])
async def test_a_contradiction_is_refused(campus: SettlingCampus, from_s: int, wheeling_mills: int) -> None:
    await campus.pool.execute("DELETE FROM rates")
    await add_rates(campus.pool, from_s, wheeling_mills)
    before = await stored_rates(campus.pool)
    with pytest.raises(RatesContradictError, match=f"{wheeling_mills}/25/5 mills .* governance 100/25/5"):
        await RatesCopier().copy_if_due(campus.pool, await lead(campus.pool), SystemClock(), campus.chain)
    assert await stored_rates(campus.pool) == before


async def test_a_leader_that_was_replaced_copies_nothing(campus: SettlingCampus) -> None:
    await campus.pool.execute("DELETE FROM rates")
    stale = await lost_lease(campus.pool)
    with pytest.raises(LeaseLostError):
        await RatesCopier().copy_if_due(campus.pool, stale, SystemClock(), campus.chain)
    assert await stored_rates(campus.pool) == {}


async def test_while_the_chain_is_away_the_known_rates_stay(
    campus: SettlingCampus, capsys: pytest.CaptureFixture[str]
) -> None:
    pool, clock, rates = campus.pool, ManualClock(0), RatesCopier()
    lease = await lead(pool)
    async with ChainClient(NO_CHAIN, timeout_s=2) as away:
        for _ in range(3):
            await rates.copy_if_due(pool, lease, clock, away)
            clock.advance(5000)
    assert await stored_rates(pool) == {0: FIRST}
    await pool.execute("DELETE FROM rates")
    await rates.copy_if_due(pool, lease, clock, campus.chain)
    assert await stored_rates(pool) == {0: FIRST}
    output = capsys.readouterr()
    assert (output.out + output.err).count("trying again until it works") == 1


async def test_a_chain_that_was_not_set_up_says_so(pool: Pool, tmp_path: Path) -> None:
    with new_ledger(tmp_path / "ledger") as ledger:
        async with ChainClient(ledger.url) as bare:
            with pytest.raises(NoGovernanceError, match="set the chain up first"):
                await copy_rates(pool, await lead(pool), SystemClock(), bare)


async def test_rates_that_come_late_are_said(campus: SettlingCampus, capsys: pytest.CaptureFixture[str]) -> None:
    start_s = await campus.interval(ENERGY)
    await campus.pool.execute("UPDATE rates SET effective_from = $1", at_s(-1))
    await copy_rates(campus.pool, await lead(campus.pool), SystemClock(), campus.chain)
    output = capsys.readouterr()
    assert "1 intervals were cleared at the rates before" in output.out + output.err, start_s


@pytest.mark.parametrize("column", ["wheeling_mills", "export_tariff_mills", "import_tariff_mills"])
async def test_reconcile_compares_the_rates(campus: SettlingCampus, column: str) -> None:
    start_s = await campus.interval(ENERGY)
    assert await (await campus.submitter()).settle_due() == [start_s]
    table = "settlements" if column == "wheeling_mills" else "rates"
    await campus.pool.execute(f"UPDATE {table} SET {column} = {column} + 1")  # noqa: S608 - names from above
    assert await reconcile_due(campus.pool, await lead(campus.pool), SystemClock(), campus.chain) == []
    report = await campus.pool.fetchval("SELECT reconcile_report FROM settlements")
    assert any(difference.startswith(f"{column} is ") for difference in report["differences"]), report


def test_trading_goes_on_after_a_change_of_rates() -> None:
    """Two days pass in the virtual machine; then the chain opens what the hub has planned with the copied rates."""
    exchange = founded_exchange()
    chain = exchange.chain
    seller, buyer = exchange.ready("ann"), exchange.ready("bob")
    effective_s = chain.now + TIME_LOCK_S
    assert exchange.campus.decide(schedule_rates(rate_set(effective_s, wheeling_mills=120))).error is None
    start_s = -(-effective_s // INTERVAL_S) * INTERVAL_S
    governed = governed_rates(chain.account("governance", PARAMS), chain.now + 3600)
    assert governed[effective_s].wheeling_mills == 120
    any_id = b"x" * 32
    trade = Trade(any_id, start_s, "ex_post", UUID(int=1), UUID(int=2), any_id, any_id, 0, Wh(100), PriceMills(4000))
    wallets = {UUID(int=1): bytes(seller.wallet), UUID(int=2): bytes(buyer.wallet)}
    settlement = plan(start_s, [trade], wallets, governed[effective_s], minted_wh=Wh(100), batch_lines=14)
    exchange.attest_and_mint(start_s)
    lines = [
        ChainLine(Pubkey(line.wallet), line.sold_wh, line.bought_wh, line.credit_micros, line.debit_micros)
        for line in settlement.lines
    ]
    assert chain.send(exchange.open(start_s, lines), signers=[exchange.settler]).error is None
