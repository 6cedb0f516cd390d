"""Compares a hub's database with the ground truth, interval by interval."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hub.clock import at_s, rfc3339_s, to_ms
from hub.demo import ground_truth
from hub.demo.ground_truth import IntervalTruth, Prices, Site, Trader, TruthMeter
from hub.postgres.db import Connection


async def site_of(
    connection: Connection, *, interval_s: int, poll_period_s: int, mandate: Trader | None = None
) -> Site:
    """Returns the site as it was set up: meters with their owners, traders with their limits, and the rates.

    ``mandate`` is that of every participant with a wallet; the default never limits anything.
    """
    meters = await connection.fetch("SELECT * FROM meters WHERE status = 'active'")
    participants = await connection.fetch("SELECT * FROM participants WHERE wallet IS NOT NULL")
    (rates,) = await connection.fetch("SELECT * FROM rates")
    return Site(
        interval_s=interval_s,
        poll_period_s=poll_period_s,
        meters={
            m["meter_id"]: TruthMeter(
                str(m["participant_id"]), m["rated_power_w"], -(-to_ms(m["expected_from"]) // 1000)
            )
            for m in meters
        },
        traders={
            str(p["participant_id"]): replace(mandate or Trader(), ask=p["ask_limit_mills"], bid=p["bid_limit_mills"])
            for p in participants
        },
        prices=Prices(
            rates["export_tariff_mills"], rates["import_tariff_mills"], rates["wheeling_mills"],
            rates["platform_mills"], rates["loss_mills"],
        ),
    )  # fmt: skip


async def compare(
    connection: Connection, site: Site, log: Iterable[Mapping[str, Any]], starts: Iterable[int]
) -> list[str]:
    """Compares planned intervals to the Wh and the micro; returns one sentence for each figure that differs."""
    sorted_starts = sorted(starts)
    energies = ground_truth.energies(log, site, sorted_starts[0], sorted_starts[-1]).by_start
    differing: list[str] = []
    for start_s in sorted_starts:
        differing += await differences(connection, ground_truth.settle(start_s, energies[start_s], site))
    return differing


async def differences(connection: Connection, truth: IntervalTruth) -> list[str]:
    """Compares one interval: meters, price, volume, minted energy, settlement lines and utility lines."""
    start_at = at_s(truth.start_s)
    expected = _expected(truth)
    actual: dict[str, object] = {}
    for row in await connection.fetch(_METERS, start_at):
        actual[f"meter {row[0]}"] = tuple(row)[1:]
    for row in await connection.fetch(_LINES, start_at):
        actual[f"line of {row[0]}"] = tuple(row)[1:]
    for row in await connection.fetch(_UTILITY, start_at):
        actual[f"utility of {row[0]}"] = tuple(row)[1:]
    interval = await connection.fetchrow(_INTERVAL, start_at)
    actual["price, volume and minted"] = None if interval is None else tuple(interval)
    return [
        f"{rfc3339_s(truth.start_s)} {name}: hub {actual.get(name)}, truth {expected.get(name)}"
        for name in sorted(expected.keys() | actual.keys())
        if actual.get(name) != expected.get(name)
    ]


def _expected(truth: IntervalTruth) -> dict[str, object]:
    expected: dict[str, object] = {
        f"meter {name}": (m.import_wh, m.export_wh, m.quality) for name, m in truth.meters.items()
    }
    for name, bill in truth.bills.items():
        expected[f"utility of {name}"] = (bill.utility_wh, bill.utility_micros)
        if bill.sold_wh or bill.bought_wh:
            expected[f"line of {name}"] = (bill.sold_wh, bill.bought_wh, bill.credit_micros, bill.debit_micros)
    expected["price, volume and minted"] = (truth.price_mills, truth.volume_wh, truth.minted_wh)
    return expected


_METERS = "SELECT meter_id, import_wh, export_wh, quality FROM interval_readings WHERE start_at = $1 AND revision = 1"
_LINES = """
    SELECT participant_id::text, sold_wh, bought_wh, credit_micros, debit_micros
    FROM settlement_lines WHERE start_at = $1
"""
_UTILITY = """
    SELECT participant_id::text, utility_wh, amount_micros FROM utility_lines WHERE start_at = $1 AND revision = 1
"""
_INTERVAL = """
    SELECT c.price_mills, c.volume_wh, s.minted_wh
    FROM clearings c JOIN settlements s USING (start_at) WHERE start_at = $1
"""
