"""Intervals that can not be settled as planned: they are released or wait for a person, and the others go on."""

from collections.abc import Sequence

import pytest

from hub.chain.errors import ChainUnreachableError
from hub.chain.transaction_outcome import NodeReport, SentTransaction
from hub.chain.transactions import Blockhash
from hub.clock import SystemClock, rfc3339_s
from hub.postgres.lease import LeaseLostError
from hub.settlement import onchain, reconcile
from hub.settlement.deferred import DeferredIntervals
from hub.settlement.reconcile import DifferenceError, compare_all, reconcile_due
from hub.settlement.submitter import UnreadableRowsError
from support.killed_calls import killed_before
from support.rows.site_rows import lead
from support.settlement.campus import ENERGY, SettlingCampus

HOUR_S = 3600


async def test_a_conflict_of_one_interval_does_not_hold_up_the_next(campus: SettlingCampus) -> None:
    first = await campus.interval(ENERGY)
    submitter = await campus.submitter()
    await submitter.settle_due()
    await campus.pool.execute("UPDATE attestations SET export_wh = export_wh + 1")
    await campus.pool.execute("UPDATE settlement_steps SET state = 'planned', signature = NULL")
    await campus.pool.execute("UPDATE intervals SET state = 'settling'")
    second = await campus.interval(ENERGY)
    assert await submitter.settle_due() == [second]
    assert isinstance(submitter.deferred.errors[first], onchain.ConflictError)
    assert await submitter.settle_due() == []
    state = await campus.pool.fetchval("SELECT state FROM intervals ORDER BY start_at LIMIT 1")
    assert state == "settling"


async def test_intervals_with_lines_do_not_wait_behind_empty_ones(campus: SettlingCampus) -> None:
    """After a night without a hub there are hundreds of empty intervals."""
    empty = await campus.interval((-100, -100, -100, -100, -100))
    traded = await campus.interval(ENERGY)
    submitter = await campus.submitter()
    assert await submitter.settle_due(limit=1) == [traded]
    assert await submitter.settle_due() == [empty]


async def test_too_late_to_open_closes_without_lines(lone_campus: SettlingCampus) -> None:
    campus = lone_campus
    start_s = await campus.late_interval(ENERGY, 13 * HOUR_S)
    assert await campus.pool.fetchval("SELECT sum(wh) FROM trades") == 1000
    submitter = await campus.submitter()
    assert await submitter.settle_due() == [start_s]
    assert (await onchain.read_settlement(campus.chain, start_s)).status == onchain.EMPTY
    tables = ("settlement_lines", "trades")
    assert [await campus.pool.fetchval(f"SELECT count(*) FROM {name}") for name in tables] == [0, 0]  # noqa: S608
    utility = await campus.pool.fetch("SELECT utility_wh, amount_micros FROM utility_lines ORDER BY participant_id")
    assert [row["utility_wh"] for row in utility] == list(ENERGY)
    assert [row["amount_micros"] for row in utility] == [wh * (2200 if wh > 0 else 5000) for wh in ENERGY]
    assert await campus.pool.fetchval("SELECT sum(wh) FROM released_trades") == 1000
    assert await reconcile_due(campus.pool, await lead(campus.pool), SystemClock(), campus.chain) == [start_s]
    assert (await compare_all(campus.pool, campus.chain)).differences == []


async def test_a_stranger_who_closes_a_late_interval_first_is_no_conflict(campus: SettlingCampus) -> None:
    start_s = await campus.late_interval(ENERGY, 14 * HOUR_S)
    submitter = await campus.submitter()
    assert await submitter.settle_due() == [start_s]
    # as if somebody else had closed it, and this hub's rows still held the plan
    await campus.pool.execute("UPDATE intervals SET state = 'settling'")
    await campus.pool.execute("UPDATE settlements SET line_count = 5")
    await campus.pool.execute("UPDATE settlement_steps SET state = 'planned', signature = NULL WHERE kind = 'close'")
    assert await submitter.settle_due() == [start_s]
    assert await campus.pool.fetchval("SELECT line_count FROM settlements") == 0


async def test_a_signature_is_kept_while_its_blockhash_lives(
    campus: SettlingCampus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A confirmed transaction that a node no longer knows may still land: it is sent again, not signed anew."""
    start_s = await campus.interval(ENERGY)
    submitter = await campus.submitter()
    requests, reports = 0, campus.chain.reports

    async def forgetful(sent: Sequence[SentTransaction]) -> list[NodeReport]:
        nonlocal requests
        requests += len(sent) > 1
        return [NodeReport(None) for _ in sent] if requests == 1 and len(sent) > 1 else await reports(sent)

    monkeypatch.setattr(campus.chain, "reports", forgetful)
    assert await submitter.settle_due() == [start_s]
    assert requests > 1
    assert await campus.pool.fetchval("SELECT count(*) FROM blockchain_transactions") == 5


async def test_the_same_signature_twice_is_one_transaction(
    campus: SettlingCampus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that failed and is signed again with the same blockhash has the same signature."""
    start_s = await campus.interval(ENERGY)
    submitter, blockhash = await campus.submitter(), await campus.chain.latest_blockhash()

    async def same_blockhash() -> Blockhash:
        return blockhash

    monkeypatch.setattr(campus.chain, "latest_blockhash", same_blockhash)
    with killed_before(campus.chain, "send"):
        await submitter.settle_due()
    await campus.pool.execute("UPDATE blockchain_transactions SET state = 'failed'")
    await campus.pool.execute("UPDATE settlement_steps SET state = 'planned', signature = NULL")
    assert await (await campus.submitter()).settle_due() == [start_s]
    assert await campus.pool.fetchval("SELECT count(*) FROM blockchain_transactions") == 5


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE settlement_lines SET debit_micros = debit_micros + 1 WHERE line_index = 0", "lines"),
        ("UPDATE trades SET wh = wh + 1 WHERE fill_index = 0", "trades"),
        ("UPDATE interval_readings SET import_wh = import_wh + 1 WHERE leaf_index = 2", "interval readings"),
        ("UPDATE utility_lines SET amount_micros = amount_micros + 1", "utility"),
    ],
)
async def test_a_changed_row_is_found(closed: tuple[SettlingCampus, int], change: str, expected: str) -> None:
    """The rows behind the bills have to agree with the commitments, not only with their totals."""
    campus, start_s = closed
    await campus.pool.execute(change)
    assert await reconcile_due(campus.pool, await lead(campus.pool), SystemClock(), campus.chain) == []
    report = await campus.pool.fetchval("SELECT reconcile_report FROM settlements")
    assert any(expected in difference for difference in report["differences"]), (start_s, report)


async def test_a_difference_does_not_hold_up_the_next(closed: tuple[SettlingCampus, int]) -> None:
    campus, first = closed
    await campus.pool.execute("UPDATE utility_lines SET amount_micros = amount_micros + 1")
    second = await campus.interval(ENERGY)
    assert await (await campus.submitter()).settle_due() == [second]
    deferred, lease, clock = DeferredIntervals(), await lead(campus.pool), SystemClock()
    again = [await reconcile_due(campus.pool, lease, clock, campus.chain, deferred=deferred, limit=1) for _ in range(3)]
    assert again == [[], [second], []]
    assert isinstance(deferred.errors[first], DifferenceError)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE settlement_lines SET wallet = 'nonsense' WHERE start_at = to_timestamp($1)", "ValueError"),
        (
            """WITH gone AS (DELETE FROM settlement_lines WHERE start_at = to_timestamp($1))
            DELETE FROM settlements WHERE start_at = to_timestamp($1)""",
            "LookupError",
        ),
        ("UPDATE rates SET effective_from = to_timestamp($1 + 1)", "ConfigError"),
    ],
)
async def test_rows_that_can_not_be_read_are_a_difference_of_their_interval(
    closed: tuple[SettlingCampus, int], change: str, expected: str
) -> None:
    campus, first = closed
    second = await campus.interval(ENERGY)
    assert await (await campus.submitter()).settle_due() == [second]
    await campus.pool.execute(change, first)
    deferred = DeferredIntervals()
    lease = await lead(campus.pool)
    assert await reconcile_due(campus.pool, lease, SystemClock(), campus.chain, deferred=deferred) == [second]
    assert isinstance(deferred.errors[first], DifferenceError)
    assert f"its rows can not be read: {expected}" in str(deferred.errors[first])
    report = await compare_all(campus.pool, campus.chain)
    of_intervals = [difference for difference in report.differences if difference.startswith("interval")]
    assert len(of_intervals) == 1
    assert of_intervals[0].startswith(f"interval {rfc3339_s(first)}: its rows can not be read: {expected}")


@pytest.mark.parametrize(
    "outage", [ChainUnreachableError("away"), LeaseLostError("lost"), ConnectionResetError("away")]
)
async def test_what_is_away_ends_a_round_and_is_no_difference(
    closed: tuple[SettlingCampus, int], monkeypatch: pytest.MonkeyPatch, outage: Exception
) -> None:
    campus, _ = closed

    async def away(*_: object) -> None:
        raise outage

    monkeypatch.setattr(reconcile, "compare_interval", away)
    with pytest.raises(type(outage)):
        await reconcile_due(campus.pool, await lead(campus.pool), SystemClock(), campus.chain)
    with pytest.raises(type(outage)):
        await compare_all(campus.pool, campus.chain)
    assert await campus.pool.fetchval("SELECT reconcile_report FROM settlements") is None


async def test_a_line_that_can_not_be_read_does_not_hold_up_the_next(campus: SettlingCampus) -> None:
    first = await campus.interval(ENERGY)
    await campus.pool.execute("UPDATE settlement_lines SET wallet = 'nonsense'")
    second = await campus.interval(ENERGY)
    submitter = await campus.submitter()
    assert await submitter.settle_due() == [second]
    assert isinstance(submitter.deferred.errors[first], UnreadableRowsError)


@pytest.fixture
async def closed(campus: SettlingCampus) -> tuple[SettlingCampus, int]:
    """A campus with a closed interval, and the interval's start."""
    start_s = await campus.interval(ENERGY)
    assert await (await campus.submitter()).settle_due() == [start_s]
    return campus, start_s
