"""The closing report says `reconciled` only while every figure agrees: not with one Wh or micro off anywhere."""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, cast

import asyncpg
import pytest

from hub.demo.report import make_closing_report
from hub.postgres.db import Pool
from support.servers.demo_runs import CrashDemo

pytestmark = pytest.mark.timeout(900)

CHANGES = [
    ("UPDATE utility_lines SET amount_micros = amount_micros + 1 WHERE {first} AND start_at = $1", "utility_micros is"),
    ("UPDATE utility_lines SET utility_wh = utility_wh + 1 WHERE {first} AND start_at = $1", "utility_wh is"),
    ("UPDATE clearings SET price_mills = price_mills + 1 WHERE start_at = $1", "the interval: price_mills is"),
    ("UPDATE interval_readings SET import_wh = import_wh + 1 WHERE meter_id = 'METER_001' AND start_at = $1",
     "the interval: import_wh is"),
    ("UPDATE interval_readings SET export_wh = export_wh + 1 WHERE meter_id = 'METER_001' AND start_at = $1",
     "the interval: export_wh is"),
    ("UPDATE trades SET wh = wh + 1 WHERE start_at = $1", "the interval: traded_wh is"),
    ("UPDATE settlements SET minted_wh = minted_wh + 1 WHERE start_at = $1", "the interval: minted_wh is"),
    ("UPDATE settlements SET line_count = line_count + 1 WHERE start_at = $1", "the interval: lines is"),
    ("UPDATE settlement_lines SET sold_wh = sold_wh + 1 WHERE line_index = 0 AND start_at = $1", "sold_wh is"),
    ("UPDATE settlements SET debit_micros = debit_micros + 1 WHERE start_at = $1", "the interval: debit_micros is"),
]  # fmt: skip

OTHER_INTERVAL = """
UPDATE settlements SET debit_micros = debit_micros + 1
WHERE start_at > $1 AND start_at = (SELECT max(start_at) FROM intervals WHERE state = 'reconciled')
"""


class SingleConnectionPool:
    """Gives out the one connection in whose transaction a figure was changed."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator[asyncpg.Connection]:
        yield self._connection


def report_with(crash_demo: CrashDemo, start_at: datetime, change: str | None) -> dict[str, Any]:
    demo = crash_demo.demo

    async def make_report(connection: asyncpg.Connection) -> dict[str, Any]:
        transaction = connection.transaction()
        await transaction.start()
        try:
            if change is not None:
                first = "participant_id = (SELECT min(participant_id::text)::uuid FROM utility_lines)"
                assert await connection.execute(change.format(first=first), start_at) != "UPDATE 0"
            return await make_closing_report(cast("Pool", SingleConnectionPool(connection)), demo.settings, [start_at])
        finally:
            await transaction.rollback()

    return demo.with_connection(make_report)


@pytest.mark.parametrize(("change", "difference"), CHANGES)
def test_a_figure_that_is_one_off(crash_demo: CrashDemo, change: str, difference: str) -> None:
    start_at = crash_demo.demo.until_reconciled(1, 10)[0]["start_at"]
    report = report_with(crash_demo, start_at, change)
    assert any(difference in line for line in report["intervals"][0]["ground_truth_differences"]), report
    assert report["reconciled"] is False


def test_nothing_is_off(crash_demo: CrashDemo) -> None:
    start_at = crash_demo.demo.until_reconciled(1, 10)[0]["start_at"]
    report = report_with(crash_demo, start_at, None)
    assert report["intervals"][0]["ground_truth_differences"] == []
    assert report["reconciled"] is True


def test_the_chains_sums_are_part_of_it(crash_demo: CrashDemo) -> None:
    """Charges of an interval that the report does not show."""
    shown = crash_demo.demo.until_reconciled(2, 10)[0]["start_at"]
    report = report_with(crash_demo, shown, OTHER_INTERVAL)
    assert report["intervals"][0]["ground_truth_differences"] == []
    assert any("the market's charges are" in line for line in report["chain_differences"])
    assert report["reconciled"] is False


def test_with_fewer_intervals_than_wanted_it_is_not(crash_demo: CrashDemo) -> None:
    demo = crash_demo.demo
    start_at = demo.until_reconciled(1, 10)[0]["start_at"]

    async def make_report(connection: asyncpg.Connection) -> dict[str, Any]:
        pool = cast("Pool", SingleConnectionPool(connection))
        return await make_closing_report(pool, demo.settings, [start_at], missed="stopped after 1 of 2 intervals")

    report = demo.with_connection(make_report)
    assert report["reason"] == "stopped after 1 of 2 intervals"
    assert report["reconciled"] is False
