"""The hub, or the way to it, is away: in the end every bill says the same energy as without the outage.

The campus passes four hours without the hub; PEERWATT_OUTAGE_HOURS=288 lets it pass twelve days (`make test-outage`).
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hub.clock import at_s, rfc3339_s, to_s
from hub.embedded.postgres import create_database
from hub.http.types import utc_text
from hub.postgres import db
from hub.settlement.reconcile import compare_all
from support.servers import postgres
from support.servers.api import Api, running_api
from support.settlement.campus import RATES
from support.stepped.campus import HOUR_S, METERS, START_S, SteppedCampus, stepped_campus

HOURS = int(os.environ.get("PEERWATT_OUTAGE_HOURS", "4"))
AWAY_S = START_S + 3 * HOUR_S
BACK_S = AWAY_S + HOURS * HOUR_S
END_S = BACK_S + 2 * HOUR_S
ALL_CORRECTED_S = END_S + HOUR_S
CUTS_S = (START_S, AWAY_S, (AWAY_S + BACK_S) // 2, BACK_S, END_S, ALL_CORRECTED_S)
"""Where bills that follow each other end."""
TRADED_WITHIN_S = 12 * HOUR_S
"""So long after an interval's end the trading program opens its settlement."""
FRAMES_AT_ONCE = 7

Lines = dict[UUID, list[dict[str, Any]]]


@dataclass(frozen=True)
class Ended:
    """What the API and the chain say when everything is corrected."""

    bills: Lines
    sums: Mapping[UUID, Mapping[str, int]]
    cut: Mapping[UUID, list[dict[str, Any]]]
    """The bills of ``CUTS_S``, without their lines: sums, and what they carry of earlier ones."""
    charts: Lines
    meters: Mapping[str, list[dict[str, Any]]]
    counted: Mapping[str, list[tuple[Any, ...]]]
    """What the meters counted, as ``energies`` gives it."""
    traded_wh: Mapping[int, int]
    """By the interval's start (s since 1970)."""
    not_in_time: frozenset[int]
    """Starts of intervals that were first attested too late, or with what nobody had measured yet."""


async def nobody_is_away(campus: SteppedCampus) -> None:
    """Every hour is taken in when it is over."""
    for end_s in range(AWAY_S + HOUR_S, BACK_S + 1, HOUR_S):
        await campus.step_to(end_s + 90, hub=True, network=True)


async def the_hub_is_away(campus: SteppedCampus) -> None:
    """The hub comes back to all frames at once."""
    await campus.step_to(BACK_S + 90, hub=False, network=True)
    while await campus.deliver(FRAMES_AT_ONCE):
        await campus.work()
    await campus.work()


async def the_network_is_away(campus: SteppedCampus) -> None:
    """The hub waits an hour for each interval, then estimates it."""
    for end_s in range(AWAY_S + HOUR_S, BACK_S + 1, HOUR_S):
        await campus.step_to(end_s + 90, hub=True, network=False)


async def outcome(campus: SteppedCampus, outage: Callable[[SteppedCampus], Any]) -> Ended:
    """Lets the days pass, with the outage from ``AWAY_S`` to ``BACK_S``."""
    await campus.deliver_declarations()
    await campus.step_to(AWAY_S + 90, hub=True, network=True)
    await outage(campus)
    for end_s in range(BACK_S + HOUR_S, END_S + 1, HOUR_S):
        await campus.step_to(end_s + 90, hub=True, network=True)
    for _ in range(2):
        # corrections wait until nothing new comes
        await campus.step_to(campus.clock.now_ms() // 1000 + 60, hub=True, network=False)
    assert await campus.pool.fetchval("SELECT count(*) FROM intervals WHERE state <> 'reconciled'") == 0
    assert await campus.pool.fetchval("SELECT count(*) FROM interval_marks") == 0
    assert (await compare_all(campus.pool, campus.chain)).differences == []
    assert await campus.pool.fetchval("SELECT count(*) FROM attestations WHERE revision > 1 AND final_at IS NULL") == 0
    async with running_api(
        campus.pool, campus.settings.state_dir, campus.clock.now_ms(), interval_s=HOUR_S, poll_period_s=300
    ) as api:
        return await ended(api, campus)


async def ended(api: Api, campus: SteppedCampus) -> Ended:
    people = METERS.values()
    pages = {person: await pages_of(api, "/bill-lines", api.bearer("participant", person)) for person in people}
    operator = api.bearer("operator")
    first = await campus.pool.fetch(
        """
        SELECT start_at, bool_and(r.quality = 'valid') AS valid, a.attested_at - i.end_at AS late FROM intervals i
        JOIN attestations a USING (start_at) JOIN interval_readings r USING (start_at, revision)
        WHERE revision = 1 GROUP BY 1, 3
        """
    )
    trades = await campus.pool.fetch("SELECT start_at, sum(wh)::bigint AS wh FROM trades GROUP BY 1")
    return Ended(
        bills={person: [line for page in pages[person] for line in page["items"]] for person in people},
        sums={person: pages[person][0]["totals"] for person in people},
        cut={
            person: [
                (await pages_between(api, "/bill-lines", api.bearer("participant", person), *cut))[0]
                for cut in pairwise(CUTS_S)
            ]
            for person in people
        },
        charts={person: await items(api, "/intervals", api.bearer("participant", person)) for person in people},
        meters={name: await items(api, f"/meters/{name}/intervals", operator) for name in METERS},
        counted={
            name: [
                (utc_text(at_s(start_s)), *campus.gateway.energy_wh(index, start_s))
                for start_s in range(START_S, END_S, HOUR_S)
            ]
            for index, name in enumerate(METERS)
        },
        traded_wh={to_s(row["start_at"]): row["wh"] for row in trades},
        not_in_time=frozenset(
            to_s(row["start_at"]) for row in first if not row["valid"] or row["late"].total_seconds() > TRADED_WITHIN_S
        ),
    )


async def pages_of(api: Api, path: str, bearer: dict[str, str]) -> list[dict[str, Any]]:
    """Every page of a list over the whole time, with the corrections of the hour after it."""
    return await pages_between(api, path, bearer, START_S, ALL_CORRECTED_S)


async def pages_between(api: Api, path: str, bearer: dict[str, str], start_s: int, end_s: int) -> list[dict[str, Any]]:
    """Every page of a list over [start, end), in s since 1970."""
    span = {"from_": utc_text(at_s(start_s)), "to": utc_text(at_s(end_s))}
    pages = [(await api.get(path, bearer, **span)).json()]
    while cursor := pages[-1]["next_cursor"]:
        pages.append((await api.get(path, bearer, **span, cursor=cursor)).json())
    return pages


async def items(api: Api, path: str, bearer: dict[str, str]) -> list[dict[str, Any]]:
    return [item for page in await pages_of(api, path, bearer) for item in page["items"]]


def energies(lines: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Import and export in Wh by interval."""
    return [(line["start_at"], line["import_wh"], line["export_wh"]) for line in lines]


def at_tariffs(lines: Iterable[Mapping[str, Any]]) -> list[int]:
    """What the energy costs or brings at the utility's tariffs, in micros."""
    for line in lines:
        exported, imported = line["export_wh"], line["import_wh"]
        net = exported - imported
        assert line["baseline_micros"] == net * (RATES.export_tariff_mills if net > 0 else RATES.import_tariff_mills)
    return [line["baseline_micros"] for line in lines]


async def run(pg_server: str, folder: Path, outage: Callable[[SteppedCampus], Any]) -> Ended:
    pool = await db.create_pool(await create_database(pg_server, f"{folder.name}", template=postgres.TEMPLATE))
    try:
        folder.mkdir()
        async with stepped_campus(pool, folder) as campus:
            return await outcome(campus, outage)
    finally:
        await pool.close()


@pytest.mark.timeout(7200)
async def test_an_outage_changes_no_energy_and_no_money_but_that_of_trades_it_prevented(
    pg_server: str, tmp_path: Path
) -> None:
    outages = (nobody_is_away, the_hub_is_away, the_network_is_away)
    reference, *others = await asyncio.gather(*(run(pg_server, tmp_path / each.__name__, each) for each in outages))
    check_energy(reference, reference)
    assert not reference.not_in_time and reference.traded_wh
    for outage, found in zip(outages[1:], others, strict=True):
        check_energy(found, reference)
        prevented = {s: wh for s, wh in reference.traded_wh.items() if found.traded_wh.get(s, 0) != wh}
        assert prevented.keys() == found.not_in_time & reference.traded_wh.keys(), outage.__name__
        print(f"{outage.__name__}: it prevented the trades of {len(prevented)} intervals, {sum(prevented.values())} Wh")
        for start_s, wh in sorted(prevented.items()):
            print(f"  {rfc3339_s(start_s)} {wh} Wh")


def check_energy(found: Ended, reference: Ended) -> None:
    """Bills, charts and meters say what the meters counted, and the money is that of the same energy."""
    for meter_id, lines in found.meters.items():
        assert energies(lines) == found.counted[meter_id] == reference.counted[meter_id]
        assert {line["quality"] for line in lines} == {"valid"}
    for person in METERS.values():
        assert energies(found.bills[person]) == energies(reference.bills[person])
        assert energies(found.charts[person]) == energies(reference.charts[person])
        assert at_tariffs(found.bills[person]) == at_tariffs(reference.bills[person])
        for name, total in found.sums[person].items():
            assert total == sum(line[name] for line in found.bills[person]), name
        cut = found.cut[person]
        assert sum(bill["bill_micros"] for bill in cut) == found.sums[person]["total_micros"]
        for name in ("import", "export", "utility"):
            carried = sum(bill["carried"][f"{name}_change_wh"] for bill in cut)
            assert sum(bill["totals"][f"{name}_wh"] for bill in cut) + carried == found.sums[person][f"{name}_wh"]
