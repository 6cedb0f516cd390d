"""kill -9 at every change of a settlement's state: the next process goes on, and nobody pays twice.

It kills at the changes of two of the five kinds of step; PEERWATT_KILLS=200 at all of them, over as many intervals as
that takes (`make test-crash`).
"""

import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from solders.signature import Signature

from hub.settlement.reconcile import compare_all
from support.servers.ledger import LedgerProcess
from support.settlement.campus import ENERGY, SettlingCampus
from support.settlement.killed import SettlingSite, run_until_killed
from support.settlement.settled_once import WatchedCampus, watch_campus
from support.waiting import eventually

KILLS = int(os.environ.get("PEERWATT_KILLS", "1"))
KINDS = ("attest", "mint", "open", "settle", "close")
STATES = ("submitted written", "submitted committed", "sending", "sent", "confirmed written", "confirmed committed",
          "finalized written", "finalized committed")  # fmt: skip
SENDING = ("sending", "sent")


def moments(kinds: Sequence[str]) -> list[str]:
    """The moments at which a process is killed, in their order."""
    return [
        *(state if state in SENDING else f"{kind} {state}" for kind in kinds for state in STATES),
        *(f"interval closed {state}" for state in ("written", "committed")),
    ]


KILLED = moments(KINDS if KILLS > 1 else ("open", "settle"))
EXPIRED = ("attest planned written", "attest planned committed")


@pytest.fixture
async def site(
    lone_campus: SettlingCampus, lone_ledger: LedgerProcess, db_url: str, tmp_path: Path
) -> AsyncIterator[tuple[WatchedCampus, SettlingSite]]:
    async with watch_campus(lone_campus, lone_ledger.url) as watched:
        yield watched, SettlingSite(db_url, lone_ledger.url, tmp_path / "keys")


@pytest.mark.timeout(1800)
async def test_killed_at_every_change_of_state(site: tuple[WatchedCampus, SettlingSite], tmp_path: Path) -> None:
    watched, settling_site = site
    starts, kills = [], 0
    while kills < KILLS:
        await watched.end_leases()
        starts.append(await watched.campus.interval(ENERGY))
        for moment in KILLED:
            assert run_until_killed(settling_site, moment) == -9, moment
            kills += 1
            await _wait_until_final(watched)
        assert await watched.closed(starts), "the last kill came after the close"
    print(f"{kills} kills over {len(starts)} intervals")
    await watched.check_reconciled(starts)
    assert (await compare_all(watched.campus.pool, watched.ledger)).differences == []
    assert await watched.campus.pool.fetchval("SELECT count(*) FROM settlement_steps WHERE state <> 'finalized'") == 0


async def _wait_until_final(watched: WatchedCampus) -> None:
    """Waits until every confirmed transaction is final, so that each process passes the same moments."""
    rows = await watched.campus.pool.fetch("SELECT signature FROM blockchain_transactions WHERE state = 'confirmed'")
    signatures = [Signature.from_string(row["signature"]) for row in rows]

    async def are_final() -> bool:
        return all(status and status.reached("finalized") for status in await watched.ledger.statuses(signatures))

    await eventually(are_final, what="final transactions")


async def test_every_change_of_state_is_a_moment_to_be_killed_at(
    site: tuple[WatchedCampus, SettlingSite], tmp_path: Path
) -> None:
    """A new state must be added to STATES."""
    watched, settling_site = site
    await watched.campus.interval(ENERGY)
    moments_file = tmp_path / "moments"
    assert run_until_killed(settling_site, "", moments_file) == 0
    assert set(moments_file.read_text().splitlines()) == set(moments(KINDS))


@pytest.mark.parametrize("moment", EXPIRED)
async def test_killed_while_an_expired_transaction_is_given_up(
    site: tuple[WatchedCampus, SettlingSite], moment: str
) -> None:
    watched, settling_site = site
    start_s = await watched.campus.interval(ENERGY)
    assert run_until_killed(settling_site, "sending") == -9
    await watched.campus.pool.execute("UPDATE blockchain_transactions SET last_valid_block_height = 0")
    signed_with = await watched.ledger.latest_blockhash()
    assert run_until_killed(settling_site, moment) == -9

    async def is_older() -> bool:
        return await watched.ledger.latest_blockhash() != signed_with

    # One that has expired is never signed with again: the same step and blockhash would be the same transaction
    await eventually(is_older, what="another blockhash")
    assert run_until_killed(settling_site, "") == 0
    assert await watched.transactions() == {"expired": 1, "finalized": 5}
    await watched.check_reconciled([start_s])
