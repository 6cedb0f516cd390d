"""What is stored of a step and of its transaction, from its signature until it is final or void."""

from typing import Any

import pytest

from hub.clock import ManualClock, at_ms, at_s
from hub.postgres.db import Connection, Pool
from hub.settlement.planner import plan_cleared
from hub.settlement.steps import repository
from hub.settlement.steps.repository import StepRow
from support.rows.site_rows import lead
from support.rows.worked_example import INTERVAL_S, START_S

NOW_MS = (START_S + 10 * INTERVAL_S) * 1000
RAW = b"signed bytes"


@pytest.fixture
async def planned(cleared: Pool) -> Pool:
    await plan_cleared(cleared, await lead(cleared), ManualClock(NOW_MS), batch_lines=2)
    return cleared


async def steps_of(connection: Connection) -> dict[tuple[str, int], StepRow]:
    return {(step.kind, step.batch): step for step in await repository.steps(connection, START_S)}


async def transaction(connection: Connection, signature: str = "first") -> dict[str, Any]:
    row = await connection.fetchrow("SELECT * FROM blockchain_transactions WHERE signature = $1", signature)
    assert row is not None
    return dict(row)


async def test_steps_are_in_the_order_in_which_they_are_carried_out(planned: Pool) -> None:
    async with planned.acquire() as connection:
        steps = await repository.steps(connection, START_S)
        assert [(step.kind, step.batch, step.first_line, step.end_line) for step in steps] == [
            ("attest", 0, None, None), ("mint", 0, None, None), ("open", 0, None, None), ("settle", 0, 0, 2),
            ("settle", 1, 2, 3), ("close", 0, None, None),
        ]  # fmt: skip
        assert {(step.start_s, step.state, step.signature) for step in steps} == {(START_S, "planned", None)}
        assert await repository.steps(connection, START_S - INTERVAL_S) == []


async def test_a_signed_step_is_stored_with_its_transaction(planned: Pool) -> None:
    async with planned.acquire() as connection:
        step = (await steps_of(connection))["settle", 1]
        await repository.record_signed(connection, step, "first", RAW, 77, NOW_MS)
        stored = await steps_of(connection)
        assert stored["settle", 1] == StepRow(START_S, "settle", 1, 2, 3, "submitted", "first", 77)
        assert {step.state for key, step in stored.items() if key != ("settle", 1)} == {"planned"}
        assert await repository.raw_transaction(connection, "first") == RAW
        row = await transaction(connection)
        assert (row["start_at"], row["kind"], row["batch"]) == (at_s(START_S), "settle", 1)
        assert (row["state"], row["submitted_at"], row["error"]) == ("submitted", at_ms(NOW_MS), None)
        states = await connection.fetch("SELECT state FROM intervals ORDER BY start_at")
        assert [row["state"] for row in states] == ["settling", "planned"]
        updated = "SELECT updated_at FROM settlement_steps WHERE kind = 'settle' AND batch = 1"
        assert await connection.fetchval(updated) == at_ms(NOW_MS)


async def signed(connection: Connection) -> StepRow:
    await repository.record_signed(connection, (await steps_of(connection))["open", 0], "first", RAW, 77, NOW_MS)
    return (await steps_of(connection))["open", 0]


async def test_confirmed_and_final_keep_slot_units_and_times(planned: Pool) -> None:
    async with planned.acquire() as connection:
        await repository.record_confirmed(connection, await signed(connection), 5, NOW_MS + 1)
        step = (await steps_of(connection))["open", 0]
        assert (step.state, step.signature) == ("confirmed", "first")
        row = await transaction(connection)
        assert (row["state"], row["slot"], row["confirmed_at"]) == ("confirmed", 5, at_ms(NOW_MS + 1))
        await repository.record_finalized(connection, step, 6, 1_234, NOW_MS + 2)
        step = (await steps_of(connection))["open", 0]
        assert (step.state, step.signature) == ("finalized", "first")
        row = await transaction(connection)
        assert (row["state"], row["slot"], row["compute_units"]) == ("finalized", 6, 1_234)
        assert (row["confirmed_at"], row["finalized_at"]) == (at_ms(NOW_MS + 1), at_ms(NOW_MS + 2))
        await repository.record_finalized(connection, step, 6, None, NOW_MS + 2)
        assert (await transaction(connection))["compute_units"] == 1_234, "unknown units change nothing"


async def test_an_abandoned_block_takes_the_step_back_to_submitted(planned: Pool) -> None:
    async with planned.acquire() as connection:
        await repository.record_confirmed(connection, await signed(connection), 5, NOW_MS + 1)
        await repository.record_unconfirmed(connection, (await steps_of(connection))["open", 0], NOW_MS + 2)
        step = (await steps_of(connection))["open", 0]
        assert (step.state, step.signature) == ("submitted", "first")
        assert (await transaction(connection))["state"] == "submitted"
        await repository.record_confirmed(connection, step, 7, NOW_MS + 3)
        row = await transaction(connection)
        assert (row["state"], row["slot"], row["confirmed_at"]) == ("confirmed", 7, at_ms(NOW_MS + 1))


@pytest.mark.parametrize(("state", "error"), [("expired", None), ("failed", "trading refused")])
async def test_a_void_transaction_plans_the_step_again(planned: Pool, state: str, error: str | None) -> None:
    async with planned.acquire() as connection:
        await repository.record_void(connection, await signed(connection), state, error, NOW_MS + 1)
        step = (await steps_of(connection))["open", 0]
        assert (step.state, step.signature, step.last_valid_block_height) == ("planned", None, None)
        row = await transaction(connection)
        assert (row["state"], row["error"]) == (state, error)
        again = await signed(connection)
        assert (again.state, again.signature) == ("submitted", "first")
        row = await transaction(connection)
        assert (row["state"], row["error"]) == ("submitted", None), "the same signature is the same transaction"


async def test_a_step_that_others_have_done_has_no_transaction(planned: Pool) -> None:
    async with planned.acquire() as connection:
        await repository.record_done_elsewhere(connection, (await steps_of(connection))["open", 0], NOW_MS)
        step = (await steps_of(connection))["open", 0]
        assert (step.state, step.signature) == ("finalized", None)
        assert await connection.fetchval("SELECT count(*) FROM blockchain_transactions") == 0
