"""Plans are settled on a real ledger and reconciled, and nothing is sent twice, whatever was killed or done before."""

from dataclasses import replace

import pytest
from solders.compute_budget import set_compute_unit_price
from solders.transaction import Transaction

from hub.chain.client import ChainClient
from hub.chain.errors import ChainUnreachableError
from hub.clock import SystemClock
from hub.settlement import onchain, reconcile
from hub.settlement.fees import PriorityFees
from hub.settlement.reconcile import SumsComparison, compare_all, reconcile_due
from support.killed_calls import killed_before
from support.rows.site_rows import end_leases, lead
from support.servers.ledger import LedgerProcess
from support.settlement.campus import ENERGY, SettlingCampus


async def reconciled(campus: SettlingCampus) -> list[int]:
    return await reconcile_due(campus.pool, await lead(campus.pool), SystemClock(), campus.chain)


async def test_intervals_are_settled_and_reconciled(lone_campus: SettlingCampus) -> None:
    campus = lone_campus
    first = await campus.interval(ENERGY)
    submitter = await campus.submitter()
    assert await submitter.settle_due() == [first]
    second = await campus.interval((-100, -100, -100, -100, -100))
    assert await submitter.settle_due() == [second]
    assert await reconciled(campus) == [first, second]
    for page in (1, 2, 1000):
        report = await compare_all(campus.pool, campus.chain, page=page)
        assert (report.checked, report.differences, report.notes) == (2, [], [])
    kinds = await campus.pool.fetch("SELECT kind FROM blockchain_transactions WHERE state = 'finalized' ORDER BY slot")
    assert sorted(row["kind"] for row in kinds) == sorted(
        ["attest", "mint", "open", "settle", "close", "attest", "mint", "close"]
    )
    assert await campus.pool.fetchval("SELECT bool_and(compute_units > 0) FROM blockchain_transactions")


async def test_a_priority_fee_is_offered_when_it_is_set(campus: SettlingCampus) -> None:
    start_s = await campus.interval(ENERGY)
    submitter = replace(await campus.submitter(), fees=PriorityFees(1234))
    assert await submitter.settle_due() == [start_s]
    rows = await campus.pool.fetch("SELECT raw FROM blockchain_transactions")
    price = bytes(set_compute_unit_price(1234).data)
    messages = [Transaction.from_bytes(row["raw"]).message for row in rows]
    assert [price in [bytes(part.data) for part in message.instructions] for message in messages] == [True] * 5


async def test_a_changed_row_is_found(campus: SettlingCampus) -> None:
    await campus.interval(ENERGY)
    await (await campus.submitter()).settle_due()
    await campus.pool.execute("UPDATE settlements SET credit_micros = credit_micros + 1")
    assert await reconciled(campus) == []
    report = await compare_all(campus.pool, campus.chain)
    assert any("credit_micros is" in difference for difference in report.differences)
    assert any("charges of all closed intervals" in difference for difference in report.differences)
    assert await campus.pool.fetchval("SELECT state FROM intervals") == "closed"


async def test_a_settlement_in_progress_is_no_difference(
    lone_campus: SettlingCampus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chain has closed an interval; the database learns of it while the sums are compared."""
    campus, compare_sums = lone_campus, reconcile.compare_sums
    await campus.interval(ENERGY)
    await (await campus.submitter()).settle_due()
    await campus.pool.execute("UPDATE intervals SET state = 'settling'")
    comparisons: list[SumsComparison] = []

    async def compare_then_close(chain: ChainClient, charges_micros: int) -> SumsComparison:
        comparisons.append(await compare_sums(chain, charges_micros))
        await campus.pool.execute("UPDATE intervals SET state = 'closed'")
        return comparisons[-1]

    monkeypatch.setattr(reconcile, "compare_sums", compare_then_close)
    assert (await compare_all(campus.pool, campus.chain)).differences == []
    assert [bool(comparison.differences) for comparison in comparisons] == [True, False]


async def test_what_the_database_forgot_is_not_sent_again(campus: SettlingCampus) -> None:
    start_s = await campus.interval(ENERGY)
    submitter = await campus.submitter()
    await submitter.settle_due()
    sent = await campus.pool.fetchval("SELECT count(*) FROM blockchain_transactions")
    await campus.pool.execute("UPDATE settlement_steps SET state = 'planned', signature = NULL")
    await campus.pool.execute("UPDATE intervals SET state = 'settling'")
    assert await submitter.settle_due() == [start_s]
    assert await campus.pool.fetchval("SELECT count(*) FROM blockchain_transactions") == sent
    assert await reconciled(campus) == [start_s]


async def test_a_transaction_that_never_left_is_sent_after_a_restart(campus: SettlingCampus) -> None:
    start_s = await campus.interval(ENERGY)
    await end_leases(campus.pool)
    dead = await campus.submitter("dead")

    with killed_before(campus.chain, "send"):
        await dead.settle_due()
    assert await campus.pool.fetchval("SELECT state FROM blockchain_transactions") == "submitted"
    await end_leases(campus.pool)
    assert await (await campus.submitter()).settle_due() == [start_s]
    assert await reconciled(campus) == [start_s]


async def test_an_expired_transaction_is_signed_anew(campus: SettlingCampus) -> None:
    start_s = await campus.interval(ENERGY)
    submitter = await campus.submitter()
    stale = await campus.chain.prepare([], [campus.keys.fee_payer])
    await campus.pool.execute(
        """
        INSERT INTO blockchain_transactions (signature, start_at, kind, raw, last_valid_block_height, state)
        SELECT $1, start_at, 'attest', $2, 0, 'submitted' FROM intervals
        """,
        str(stale.signature),
        b"lost",
    )
    await campus.pool.execute(
        "UPDATE settlement_steps SET state = 'submitted', signature = $1 WHERE kind = 'attest'", str(stale.signature)
    )
    assert await submitter.settle_due() == [start_s]
    states = await campus.pool.fetch("SELECT state, count(*) FROM blockchain_transactions GROUP BY state")
    assert {row["state"]: row["count"] for row in states} == {"expired": 1, "finalized": 5}


async def test_another_attestation_on_the_chain_stops_the_interval(campus: SettlingCampus) -> None:
    start_s = await campus.interval(ENERGY)
    submitter = await campus.submitter()
    assert await submitter.settle_due() == [start_s]
    await campus.pool.execute("UPDATE attestations SET export_wh = export_wh + 1")
    await campus.pool.execute("UPDATE settlement_steps SET state = 'planned', signature = NULL")
    await campus.pool.execute("UPDATE intervals SET state = 'settling'")
    assert await submitter.settle_due() == []
    assert isinstance(submitter.deferred.errors[start_s], onchain.ConflictError)
    assert "export_wh is 1000 on the chain and 1001 here" in str(submitter.deferred.errors[start_s])


async def test_settling_goes_on_when_the_ledger_is_back(
    lone_campus: SettlingCampus, lone_ledger: LedgerProcess
) -> None:
    campus = lone_campus
    start_s = await campus.interval(ENERGY)
    submitter, port = await campus.submitter(), int(lone_ledger.url.rsplit(":", 1)[1])
    lone_ledger.kill()
    with pytest.raises(ChainUnreachableError):
        await submitter.settle_due()
    lone_ledger.start(port=port)
    assert await submitter.settle_due() == [start_s]
    assert await reconciled(campus) == [start_s]
