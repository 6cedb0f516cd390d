"""`--until-settled` does not wait for ever: it says what is missing, and what to do."""

import asyncio
from pathlib import Path

from hub.demo.boot import Running
from hub.demo.command import wait_for_intervals
from hub.demo.report import make_closing_report
from hub.postgres import db
from hub.settings import Settings


def running(pool: db.Pool) -> Running:
    settings = Settings.model_construct(
        state_dir=Path("/state"), interval_s=30, site_timezone="Europe/Berlin", sun_offset_s=0, truth_file=None
    )
    return Running("http://127.0.0.1:1", "ada@campus.example", "secret", settings, Path("/state/hub.toml"), pool)


async def test_when_nothing_is_traded(pool: db.Pool) -> None:
    demo = running(pool)
    starts, missed = await wait_for_intervals(demo, 2, asyncio.Event(), max_wait_s=0.1)
    assert starts == []
    assert missed is not None
    assert missed.startswith("no interval with trades was settled for 0 s (0 of 2, and at the site it is ")
    assert "see /state/logs" in missed
    assert missed.endswith("or start again; a start is always by day")
    report = await make_closing_report(pool, demo.settings, starts, missed=missed)
    assert (report["intervals"], report["reconciled"], report["reason"]) == ([], False, missed)


async def test_when_it_is_stopped_before(pool: db.Pool) -> None:
    stop = asyncio.Event()
    stop.set()
    assert await wait_for_intervals(running(pool), 2, stop, max_wait_s=60) == ([], "stopped after 0 of 2 intervals")
