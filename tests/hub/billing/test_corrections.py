"""Correction lines: on the bill of when they were made, once, with what was before, what is now and why."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hub.clock import ManualClock, at_ms, at_s
from hub.http.types import utc_text
from hub.metering.rules import RULES
from hub.postgres.db import Pool
from support.rows.site_rows import BOOT, add_readings
from support.servers.api import Api, running_api
from support.settlement.corrected_site import (
    ANNA,
    BEN,
    CLOCK,
    END_S,
    LATE_SLOTS,
    LENGTH_S,
    START_S,
    add_late_site,
    correct,
    load,
)

START, END = at_s(START_S), at_s(END_S)
DAY = timedelta(days=1)
MORNING_S = END_S + 20 * 3600
"""When what was late is corrected: the next day at the site, and on the next bill."""
IMPORT_MILLS = 5000
LATE_WH = 3 * LENGTH_S


@pytest.fixture
async def late_api(pool: Pool, tmp_path: Path) -> AsyncIterator[Api]:
    """The API three days later, on a site where nothing has been corrected yet."""
    await add_late_site(pool)
    async with running_api(pool, tmp_path, (END_S + 3 * 86_400) * 1000) as api:
        yield api


async def come_late(pool: Pool, slots: Sequence[int] = LATE_SLOTS, made_s: int = MORNING_S) -> None:
    """Lets these readings of Anna's meter come, and corrects what they change at a time in s since 1970."""
    await add_readings(pool, "METER_001", [load(slot_s) for slot_s in slots])
    await correct(pool, ManualClock(made_s * 1000))


async def bill(api: Api, start: datetime, end: datetime, person: UUID = ANNA, path: str = "/bill-lines") -> Any:
    response = await api.get(path, api.bearer("participant", person), from_=utc_text(start), to=utc_text(end))
    assert response.status_code == 200, response.text
    return response.json()


async def lines(api: Api, start: datetime, end: datetime, person: UUID = ANNA) -> Any:
    return (await bill(api, start, end, person, "/bill-corrections"))["items"]


async def test_a_line_says_what_was_what_is_and_why(late_api: Api, pool: Pool) -> None:
    await come_late(pool)
    first, *_, last = await lines(late_api, END, END + DAY)
    start_s = END_S - LENGTH_S

    assert (last["start_at"], last["corrected_at"]) == (utc_text(at_s(start_s)), utc_text(at_s(MORNING_S)))
    assert last["before"] == {
        "revision": 1, "import_wh": 0, "export_wh": 0, "utility_wh": 0, "utility_micros": 0, "quality": "missing",
    }  # fmt: skip
    assert last["after"] == {
        "revision": 2, "import_wh": 900, "export_wh": 0, "utility_wh": -900,
        "utility_micros": -900 * IMPORT_MILLS, "quality": "valid",
    }  # fmt: skip
    changes = [last[f"{name}_change_wh"] for name in ("import", "export", "utility")]
    assert (changes, last["change_micros"]) == ([900, 0, -900], -900 * IMPORT_MILLS)
    [meter] = last["meters"]
    assert (meter["meter_id"], meter["before"]["quality"], meter["after"]["quality"]) == (
        "METER_001", "missing", "valid",
    )  # fmt: skip
    says = {rule.id: rule.says for rule in RULES}
    assert meter["before"]["rules"]
    assert all(rule["says"] == says[rule["rule"]] for rule in meter["before"]["rules"])
    assert meter["after"]["end_reading_id"] == meter["proof_reading_id"] is not None
    assert meter["causes"] == [
        {
            "cause": "late_readings", "boot_id": BOOT.hex(), "first_sequence": start_s // 60,
            "last_sequence": END_S // 60, "first_at": utc_text(at_s(start_s)), "last_at": utc_text(END),
            "readings": 16, "detail": "",
        }
    ]  # fmt: skip
    assert first["meters"][0]["causes"][0]["readings"] == 15, "its first boundary was read in time"


async def test_a_correction_is_on_the_next_bill_and_leaves_the_one_before_as_it_was(late_api: Api, pool: Pool) -> None:
    before = await bill(late_api, START, END)
    await come_late(pool)
    after, following = await bill(late_api, START, END), await bill(late_api, END, END + DAY)

    assert after == before, "a bill does not change after its end"
    assert await lines(late_api, START, END) == []
    assert following["items"] == []
    assert following["carried"] == {
        "lines": 3, "import_change_wh": LATE_WH, "export_change_wh": 0, "utility_change_wh": -LATE_WH,
        "change_micros": -LATE_WH * IMPORT_MILLS,
    }  # fmt: skip
    assert following["totals"]["total_micros"] == 0
    assert following["bill_micros"] == -LATE_WH * IMPORT_MILLS
    corrections = await lines(late_api, END, END + DAY)
    assert [line["carried"] for line in corrections] == [True] * 3
    assert sum(line["change_micros"] for line in corrections) == following["carried"]["change_micros"]


async def test_what_is_corrected_before_the_bill_ends_is_in_its_lines(late_api: Api, pool: Pool) -> None:
    await come_late(pool)
    whole = await bill(late_api, START, END + DAY)

    assert [line["import_wh"] for line in whole["items"]] == [900] * 4
    assert [line["correction_micros"] for line in whole["items"]] == [0, *[-900 * IMPORT_MILLS] * 3]
    assert whole["carried"]["lines"] == 0
    assert whole["bill_micros"] == whole["totals"]["total_micros"] == sum(i["total_micros"] for i in whole["items"])
    corrections = await lines(late_api, START, END + DAY)
    assert [line["carried"] for line in corrections] == [False] * 3, "nothing is counted twice"


@pytest.mark.parametrize("cut_s", range(START_S + LENGTH_S, END_S + 5 * 3600, 2 * LENGTH_S + 300))
async def test_bills_that_follow_each_other_add_up_to_the_truth(late_api: Api, pool: Pool, cut_s: int) -> None:
    """Three parts of the readings come an hour and a half apart; the bills are cut anywhere, and once more later."""
    for part in range(3):
        await come_late(pool, LATE_SLOTS[part::3], END_S + 600 + 5400 * part)
    cuts = [START, at_s(cut_s), at_s(cut_s + 5400), START + 2 * DAY]
    bills = [await bill(late_api, start, end) for start, end in pairwise(cuts)]
    whole = await bill(late_api, START, START + 2 * DAY)
    now = (await bill(late_api, START, START + 2 * DAY, path="/intervals"))["items"]

    assert sum(one["bill_micros"] for one in bills) == whole["bill_micros"] == sum(i["total_micros"] for i in now)
    energy = [one["totals"]["import_wh"] + one["carried"]["import_change_wh"] for one in bills]
    assert sum(energy) == whole["totals"]["import_wh"] == 900 + LATE_WH


async def test_neighbours_have_no_line_and_a_feeder_is_on_nobodys_bill(late_api: Api, pool: Pool) -> None:
    await come_late(pool)
    assert len(await lines(late_api, END, END + DAY)) == 3
    assert await lines(late_api, END, END + DAY, BEN) == []
    assert (await bill(late_api, END, END + DAY, BEN))["carried"]["lines"] == 0
    await pool.execute("UPDATE meters SET kind = 'feeder' WHERE meter_id = 'METER_001'")
    assert await lines(late_api, END, END + DAY) == []


async def test_a_better_quality_alone_is_no_correction(late_api: Api, pool: Pool) -> None:
    """The gap's total was exact and even: what comes later makes it valid, and changes no Wh."""
    await come_late(pool, [END_S])
    assert len(await lines(late_api, END, END + DAY)) == 3
    await come_late(pool, LATE_SLOTS[:-1], MORNING_S + 3600)
    newest = await pool.fetchval("SELECT max(revision) FROM interval_readings WHERE quality = 'valid'")
    assert newest == 3
    assert [line["after"]["revision"] for line in await lines(late_api, END, END + DAY)] == [2] * 3


async def test_a_reading_outside_of_the_interval_proves_nothing_about_it(late_api: Api, pool: Pool) -> None:
    """A gap of three intervals ends: boundaries in it rest on the reading before the gap."""
    await come_late(pool, [END_S])
    meters = [line["meters"][0] for line in await lines(late_api, END, END + DAY)]
    ids = [bytes.fromhex(meter["proof_reading_id"] or "") for meter in meters]
    slots = [await pool.fetchval("SELECT slot_at FROM readings WHERE reading_id = $1", one) for one in ids]
    assert slots == [at_s(START_S + LENGTH_S), None, END]
    assert all(meter["after"]["end_reading_id"] for meter in meters)
    shown = (await bill(late_api, START, END + DAY))["items"]
    links = [
        (one["start_reading_id"] is None, one["end_reading_id"] is None) for line in shown for one in line["meters"]
    ]
    assert links == [(False, False), (False, False), (True, True), (True, False)]


async def test_pages_join_without_gap_or_overlap(late_api: Api, pool: Pool) -> None:
    await come_late(pool)
    every, found = await lines(late_api, END, END + DAY), list[Any]()
    cursor: str | None = None
    for _ in range(4):
        extra: dict[str, str] = {} if cursor is None else {"cursor": cursor}
        page = (
            await late_api.get(
                "/bill-corrections", late_api.bearer("participant", ANNA), limit=1, from_=utc_text(END), **extra
            )
        ).json()
        found += page["items"]
        if (cursor := page["next_cursor"]) is None:
            break
    assert [line["start_at"] for line in found] == [line["start_at"] for line in every]
    assert cursor is None


async def test_one_notice_a_day_however_many_intervals(late_api: Api, pool: Pool) -> None:
    """The first part comes in the morning, the others at noon and at night, which is the next day at the site."""
    headers = late_api.bearer("participant", ANNA)
    assert (await late_api.get("/today", headers)).json()["corrections"] == []
    for part, hour in enumerate([0, 2, 20]):
        await come_late(pool, LATE_SLOTS[part::3], MORNING_S + 3600 * hour)
    notices = (await late_api.get("/today", headers)).json()["corrections"]

    last, first = notices
    assert first == {
        "day": "2026-06-02", "first_corrected_at": utc_text(at_s(MORNING_S)),
        "last_corrected_at": utc_text(at_s(MORNING_S + 7200)), "intervals": 3,
        "start_at": utc_text(at_s(START_S + LENGTH_S)), "end_at": utc_text(END),
        "old_import_wh": 0, "new_import_wh": LATE_WH - 60, "old_export_wh": 0, "new_export_wh": 0,
        "change_micros": -(LATE_WH - 60) * IMPORT_MILLS, "causes": ["late_readings"],
    }  # fmt: skip
    assert (last["day"], last["old_import_wh"], last["new_import_wh"]) == ("2026-06-03", 840, 900)
    assert last["intervals"] == 1
    assert (await late_api.get("/today", late_api.bearer("participant", BEN))).json()["corrections"] == []


async def test_a_week_later_there_is_no_notice_any_more(late_api: Api, pool: Pool) -> None:
    await come_late(pool)
    headers = late_api.bearer("participant", ANNA)
    assert len((await late_api.get("/today", headers)).json()["corrections"]) == 1
    late_api.clock.advance(5 * 86_400_000)
    headers = late_api.bearer("participant", ANNA)
    assert (await late_api.get("/today", headers)).json()["corrections"] == []


async def test_a_clock_that_is_behind_makes_no_correction_older_than_the_one_before(late_api: Api, pool: Pool) -> None:
    await come_late(pool, LATE_SLOTS[::2], MORNING_S)
    await come_late(pool, LATE_SLOTS[1::2], MORNING_S - 3600)
    times = await pool.fetch("SELECT DISTINCT attested_at FROM attestations WHERE revision > 1")
    assert [row["attested_at"] for row in times] == [at_s(MORNING_S)]
    assert at_ms(CLOCK.now_ms()) < at_s(MORNING_S)
