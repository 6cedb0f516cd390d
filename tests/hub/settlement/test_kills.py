"""kill -9 at every change of a settlement's state: whoever follows goes on, and nobody pays twice.

Every moment once as a rule; PEERWATT_KILLS=200 goes on over as many intervals as that takes (`make test-crash`).
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from solders.signature import Signature

from hub.settlement.reconcile import compare_all
from support.servers.ledger import LedgerProcess
from support.settlement.campus import ENERGY, SettlingCampus
from support.settlement.killed import Site, run_and_die
from support.settlement.settled_once import Watched, watched

KILLS = int(os.environ.get("PEERWATT_KILLS", "1"))
KINDS = ("attest", "mint", "open", "settle", "close")
STATES = ("submitted written", "submitted committed", "sending", "sent", "confirmed written", "confirmed committed",
          "finalized written", "finalized committed")  # fmt: skip
SENDING = ("sending", "sent")
MOMENTS = [
    *(state if state in SENDING else f"{kind} {state}" for kind in KINDS for state in STATES),
    *(f"interval closed {state}" for state in ("written", "committed")),
]
EXPIRED = ("attest planned written", "attest planned committed")


@pytest.fixture
async def site(
    lone_campus: SettlingCampus, lone_ledger: LedgerProcess, db_url: str, tmp_path: Path
) -> AsyncIterator[tuple[Watched, Site]]:
    async with watched(lone_campus, lone_ledger.url) as seen:
        yield seen, Site(db_url, lone_ledger.url, tmp_path / "keys")


@pytest.mark.timeout(1800)
async def test_killed_at_every_change_of_state(site: tuple[Watched, Site], tmp_path: Path) -> None:
    seen, place = site
    starts, kills = [], 0
    while kills < KILLS:
        await seen.end_leases()
        starts.append(await seen.campus.interval(ENERGY))
        for moment in MOMENTS:
            assert run_and_die(place, moment) == -9, moment
            kills += 1
            await _what_was_confirmed_is_final(seen)
        assert await seen.closed(starts), "the last kill came after the close"
    print(f"{kills} kills over {len(starts)} intervals")
    await seen.reconciled_to_the_micro(starts)
    assert (await compare_all(seen.campus.pool, seen.truth)).differences == []
    assert await seen.campus.pool.fetchval("SELECT count(*) FROM settlement_steps WHERE state <> 'finalized'") == 0


async def _what_was_confirmed_is_final(seen: Watched) -> None:
    """So that the next process comes by the same moments each time."""
    rows = await seen.campus.pool.fetch("SELECT signature FROM blockchain_transactions WHERE state = 'confirmed'")
    signatures = [Signature.from_string(row["signature"]) for row in rows]
    while not all(status and status.reached("finalized") for status in await seen.truth.statuses(signatures)):  # noqa: ASYNC110 - the ledger is another process
        await asyncio.sleep(0.02)


async def test_every_change_of_state_is_a_moment_to_be_killed_at(site: tuple[Watched, Site], tmp_path: Path) -> None:
    """A state that is added some day shall not be forgotten here."""
    seen, place = site
    await seen.campus.interval(ENERGY)
    told = tmp_path / "moments"
    assert run_and_die(place, "", told) == 0
    assert set(told.read_text().splitlines()) == set(MOMENTS)


@pytest.mark.parametrize("moment", EXPIRED)
async def test_killed_while_an_expired_transaction_is_given_up(site: tuple[Watched, Site], moment: str) -> None:
    seen, place = site
    start = await seen.campus.interval(ENERGY)
    assert run_and_die(place, "sending") == -9
    await seen.campus.pool.execute("UPDATE blockchain_transactions SET last_valid_block_height = 0")
    assert run_and_die(place, moment) == -9
    assert run_and_die(place, "") == 0
    assert await seen.transactions() == {"expired": 1, "finalized": 5}
    await seen.reconciled_to_the_micro([start])
