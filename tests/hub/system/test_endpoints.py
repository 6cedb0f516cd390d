"""Totals of the whole system, and the site, as the API shows them."""

import asyncio

import pytest

from hub.clock import at_s
from hub.http.rows import Row
from hub.http.types import utc_text
from hub.postgres.db import Connection
from hub.system import queries
from support.rows.seed import ANNA, END_S, INTERVAL_S, START_S
from support.servers.api import Api
from support.waiting import eventually

START, END = utc_text(at_s(START_S)), utc_text(at_s(END_S))


async def test_system_totals(api: Api) -> None:
    totals = (await api.get("/system/totals", api.bearer("participant", ANNA))).json()

    assert totals == {
        "meters": 3, "readings": 12, "frames": 5, "quarantined": 0, "intervals_closed": 1, "import_wh": 1400,
        "export_wh": 1000, "sold_wh": 900, "utility_wh": -400, "transactions": 5,
        "last_reconciled_at": utc_text(at_s(END_S + 20)),
    }  # fmt: skip


async def test_totals_are_counted_once_for_all_who_ask(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The count reads every row: many requests at once must cause one count."""
    monkeypatch.setattr("hub.system.totals.MIN_CACHE_S", 3600)
    count, counts, release = queries.totals, 0, asyncio.Event()

    async def slow(connection: Connection) -> Row:
        nonlocal counts
        counts += 1
        await release.wait()
        return await count(connection)

    monkeypatch.setattr("hub.system.queries.totals", slow)
    anna = api.bearer("participant", ANNA)
    requests = [asyncio.create_task(api.get("/system/totals", anna)) for _ in range(30)]
    await eventually(lambda: counts > 0, what="a count")
    release.set()
    answers = await asyncio.gather(*requests, api.get("/system/totals", anna))
    assert {answer.status_code for answer in answers} == {200}
    assert counts == 1


async def test_site_needs_no_sign_in(api: Api) -> None:
    site = (await api.get("/system/site")).json()

    assert site["running_interval"] == {
        "start_at": utc_text(at_s(END_S + INTERVAL_S)), "end_at": utc_text(at_s(END_S + 2 * INTERVAL_S)),
    }  # fmt: skip
    assert (site["tariffs"]["export_mills"], site["tariffs"]["import_mills"]) == (2200, 5000)
    assert site["interval_s"] == INTERVAL_S
