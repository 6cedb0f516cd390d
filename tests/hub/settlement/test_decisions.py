"""Operators' decisions on a real database: the next revision follows with its money, and no decision is missed."""

import asyncio
from uuid import UUID

import pytest

from hub.clock import at_s
from hub.metering.corrections import service as corrections
from hub.metering.corrections.service import mark_late
from hub.metering.decisions.service import Decider, decide
from hub.metering.oracle import measure_all
from hub.metering.readings import Decision, DecisionKind, Energy
from hub.postgres.db import Pool
from hub.units import Wh
from support.rows.site_rows import (
    add_readings,
    lead,
)
from support.settlement.corrected_site import (
    ANNA,
    CLOCK,
    LENGTH_S,
    SLOTS,
    START_S,
    add_site,
    attest,
    correct,
    correct_one,
    energies,
    load,
    sun,
    utility,
)
from support.waiting import eventually

OPERATOR = Decider(UUID(int=7), "Looked at it in the cellar")


def about(kind: DecisionKind, first: int, last: int, import_wh: int = 0, export_wh: int = 0) -> Decision:
    """Returns a decision about the intervals [first, last)."""
    energy = Energy(Wh(import_wh), Wh(export_wh)) if kind == "replace" else None
    return Decision(kind, START_S + first * LENGTH_S, START_S + last * LENGTH_S, energy)


@pytest.fixture
async def decided(pool: Pool) -> Pool:
    """Anna has a load, Ben a roof; after the first interval, the hub doubts the time of Anna's readings."""
    await add_site(pool)
    await pool.execute(
        "INSERT INTO users (user_id, email, display_name, role) VALUES ($1, 'op@x.example', 'Op', 'operator')",
        OPERATOR.user_id,
    )
    await add_readings(pool, "METER_001", [load(slot_s) for slot_s in SLOTS])
    await add_readings(pool, "METER_002", [sun(slot_s) for slot_s in SLOTS])
    await pool.execute(
        "UPDATE readings SET doubt = 'clock' WHERE meter_id = 'METER_001' AND slot_at > $1", at_s(START_S + LENGTH_S)
    )
    await attest(pool)
    await mark_late(pool, await lead(pool), CLOCK)
    await pool.execute("DELETE FROM interval_marks")
    return pool


async def take(pool: Pool, decision: Decision, meter_id: str = "METER_001") -> None:
    async with pool.acquire() as connection, connection.transaction():
        await decide(connection, meter_id, decision, OPERATOR, CLOCK)


async def revisions(pool: Pool, start_s: int) -> list[tuple[object, ...]]:
    rows = await pool.fetch(
        """
        SELECT import_wh, quality, 'accepted' = ANY(rules), 'replaced' = ANY(rules) FROM interval_readings
        WHERE meter_id = 'METER_001' AND start_at = $1 ORDER BY revision
        """,
        at_s(start_s),
    )
    return [tuple(row) for row in rows]


async def test_accepted_readings_are_billed_to_the_wh_and_bought_from_the_utility(decided: Pool) -> None:
    """A hub whose clock was behind doubted them for good; trades of revision 1 stand."""
    assert [row[3] for row in await energies(decided)] == ["valid", *["missing"] * 3]
    await take(decided, about("accept", 1, 4))
    await correct(decided)
    assert await energies(decided) == [(1, 900, 0, "valid"), *[(2, 900, 0, "valid")] * 3]
    assert (await utility(decided, ANNA))[1:] == [(-900, -900 * 5000)] * 3
    assert await energies(decided, "METER_002") == [(1, 0, 1800, "valid"), *[(2, 0, 1800, "valid")] * 3]


async def test_the_next_bill_says_who_decided_and_why(decided: Pool) -> None:
    """An operator's decision is the cause; what one about other intervals says is none."""
    await take(decided, about("replace", 0, 1, 5))
    await correct(decided)
    await take(decided, about("accept", 2, 4))
    await correct(decided)
    rows = await decided.fetch("SELECT start_at, cause, first_at, last_at, detail FROM correction_causes ORDER BY 1, 2")
    causes = {tuple(row)[1:] for row in rows if row["start_at"] == at_s(START_S)}
    reason = OPERATOR.reason
    assert causes == {("energy_decision", at_s(START_S), at_s(START_S + LENGTH_S), f"replace: {reason}")}
    span = at_s(START_S + 2 * LENGTH_S), at_s(START_S + 4 * LENGTH_S)
    assert ("energy_decision", *span, f"accept: {reason}") in {
        tuple(row)[1:] for row in rows if row["start_at"] == at_s(START_S + 3 * LENGTH_S)
    }


async def test_entered_energy_is_the_utilitys_and_its_export_not_sold(decided: Pool) -> None:
    await take(decided, about("replace", 1, 4, 1000, 300))
    await correct(decided)
    rows = await energies(decided)
    assert rows[1:] == [(2, 333, 100, "estimated"), (2, 333, 100, "estimated"), (2, 334, 100, "estimated")]
    assert [wh for wh, _ in await utility(decided, ANNA)][1:] == [-233, -233, -234]
    valid = await decided.fetch("SELECT import_wh, export_wh FROM attestations WHERE revision = 2")
    assert {tuple(row) for row in valid} == {(0, 1800)}, "what is minted and certified has none of it"


async def test_a_decision_about_valid_energy_and_its_withdrawal(decided: Pool) -> None:
    trades = await decided.fetch("SELECT * FROM trades ORDER BY trade_id")
    for decision in (about("replace", 0, 1, 5), about("withdraw", 0, 1)):
        await take(decided, decision)
        await correct(decided)
    assert await revisions(decided, START_S) == [
        (900, "valid", False, False), (5, "estimated", False, True), (900, "valid", False, False),
    ]  # fmt: skip
    assert len(await decided.fetch("SELECT FROM energy_decisions")) == 2, "nothing is deleted"
    assert await decided.fetch("SELECT * FROM trades ORDER BY trade_id") == trades


async def test_energy_that_is_replaced_by_the_same_says_so(decided: Pool) -> None:
    """The last reading counts: what was shared out over the gap is 900 Wh a quarter hour, as a person enters."""
    await decided.execute("UPDATE readings SET doubt = '' WHERE slot_at = $1", at_s(START_S + 4 * LENGTH_S))
    await decided.execute("INSERT INTO interval_marks VALUES ($1, 'METER_001', now(), now())", at_s(START_S + LENGTH_S))
    await correct(decided)
    for _ in range(2):
        await take(decided, about("replace", 1, 2, 900))
        await correct(decided)
    assert await revisions(decided, START_S + LENGTH_S) == [
        (0, "missing", False, False), (900, "estimated", False, False), (900, "estimated", False, True),
    ]  # fmt: skip


async def test_what_was_decided_holds_when_readings_come_late(decided: Pool) -> None:
    """Ben's roof is replaced; a late reading has the interval computed again, and the decision still stands."""
    await take(decided, about("replace", 1, 2, 0, 77), "METER_002")
    await correct(decided)
    await add_readings(decided, "METER_002", [(START_S + LENGTH_S + 3600 * 2, 100, 9000 + 2 * (LENGTH_S + 7200))])
    await decided.execute("INSERT INTO interval_marks VALUES ($1, 'METER_002', now(), now())", at_s(START_S + LENGTH_S))
    await correct(decided)
    assert (await energies(decided, "METER_002"))[1] == (2, 0, 77, "estimated")


async def test_a_decision_while_its_interval_is_corrected_is_not_missed(
    decided: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The correction has read what was known, and the decision comes before it has deleted the mark."""
    await take(decided, about("replace", 1, 2, 11))
    second = list[asyncio.Task[None]]()

    async def is_blocked() -> bool:
        return bool(await decided.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))

    async def decide_meanwhile(*args: object, **options: object) -> object:
        measured = await measure_all(*args, **options)  # type: ignore[arg-type]
        if not second:
            second.append(asyncio.create_task(take(decided, about("replace", 1, 2, 22))))
            await eventually(is_blocked, what="the second decision waits for the correction")
        return measured

    monkeypatch.setattr(corrections, "measure_all", decide_meanwhile)
    assert await correct_one(decided) is not None
    await second[0]
    await correct(decided)
    assert (await energies(decided))[1][1:] == (22, 0, "estimated")


async def test_a_decision_that_fails_leaves_nothing(decided: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise ConnectionError("killed")

    monkeypatch.setattr("hub.metering.decisions.service.mark_around", fail)
    with pytest.raises(ConnectionError, match="killed"):
        await take(decided, about("replace", 0, 1, 5))
    assert await decided.fetchval("SELECT count(*) FROM energy_decisions") == 0
