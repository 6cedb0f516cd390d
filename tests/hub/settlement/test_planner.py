"""Plans on a real database: the stored rows, whole and once, and only under the lease."""

import pytest

from hub.clock import ManualClock
from hub.postgres.db import Pool
from hub.postgres.lease import LeaseLostError
from hub.settlement import repository
from hub.settlement.deferred import DeferredIntervals
from hub.settlement.planner import plan_cleared
from support.killed_calls import killed_after
from support.rows.site_rows import lead, lost_lease, wallet
from support.rows.worked_example import INTERVAL_S, START_S, A, B, C

CLOCK = ManualClock((START_S + 10 * INTERVAL_S) * 1000)


async def test_the_submitter_finds_lines_totals_and_steps(cleared: Pool) -> None:
    first, second = await plan_cleared(cleared, await lead(cleared), CLOCK, batch_lines=2)
    assert (first.start_s, first.lines, first.batches) == (START_S, 3, 2)
    assert (second.lines, second.batches) == (0, 0)
    lines = await cleared.fetch(
        "SELECT participant_id, wallet, sold_wh, bought_wh, credit_micros, debit_micros FROM settlement_lines "
        "ORDER BY line_index"
    )
    assert [tuple(row) for row in lines] == [
        (B, wallet(B), 0, 100, 0, 425_000),
        (C, wallet(C), 0, 200, 0, 850_000),
        (A, wallet(A), 300, 0, 1_236_000, 0),
    ]
    settlement = await cleared.fetchrow("SELECT * FROM settlements ORDER BY start_at LIMIT 1")
    assert settlement is not None
    assert (settlement["debit_micros"] - settlement["credit_micros"], settlement["minted_wh"]) == (39_000, 300)
    assert (settlement["clearing_price_mills"], settlement["line_count"]) == (4120, 3)
    steps = await cleared.fetch("SELECT kind, batch, first_line, end_line, state FROM settlement_steps")
    assert {tuple(row) for row in steps[:6]} == {
        ("attest", 0, None, None, "planned"),
        ("mint", 0, None, None, "planned"),
        ("open", 0, None, None, "planned"),
        ("settle", 0, 0, 2, "planned"),
        ("settle", 1, 2, 3, "planned"),
        ("close", 0, None, None, "planned"),
    }
    assert [row["kind"] for row in steps[6:]] == ["attest", "mint", "close"]
    assert await cleared.fetchval("SELECT count(*) FROM intervals WHERE state = 'planned'") == 2


async def test_again_changes_nothing(cleared: Pool) -> None:
    lease = await lead(cleared)
    assert len(await plan_cleared(cleared, lease, CLOCK)) == 2
    assert await plan_cleared(cleared, lease, CLOCK) == []


async def test_trades_that_can_not_be_planned_hold_up_no_other_interval(cleared: Pool) -> None:
    await cleared.execute("UPDATE participants SET wallet = NULL WHERE participant_id = $1", A)
    deferred, lease = DeferredIntervals(), await lead(cleared)
    (planned,) = await plan_cleared(cleared, lease, CLOCK, deferred=deferred)
    assert planned.start_s == START_S + INTERVAL_S
    assert "traded without a wallet" in str(deferred.errors[START_S])
    await cleared.execute("UPDATE participants SET wallet = $2 WHERE participant_id = $1", A, wallet(A))
    (planned,) = await plan_cleared(cleared, lease, CLOCK)
    assert planned.start_s == START_S


async def test_a_leader_that_was_replaced_writes_nothing(cleared: Pool) -> None:
    stale = await lost_lease(cleared)
    with pytest.raises(LeaseLostError):
        await plan_cleared(cleared, stale, CLOCK)
    assert await cleared.fetchval("SELECT count(*) FROM settlements") == 0


@pytest.mark.parametrize("step", ["take_cleared", "insert_plan"])
async def test_killed_between_two_writes_leaves_nothing(cleared: Pool, step: str) -> None:
    lease = await lead(cleared)
    with killed_after(repository, step):
        await plan_cleared(cleared, lease, CLOCK)
    assert await cleared.fetchval("SELECT count(*) FROM settlement_steps") == 0
    assert await cleared.fetchval("SELECT count(*) FROM intervals WHERE state = 'cleared'") == 2
    assert len(await plan_cleared(cleared, lease, CLOCK)) == 2
