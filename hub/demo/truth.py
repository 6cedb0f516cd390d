"""Expected figures for the demo's report, from ``ground_truth`` and the simulator's log of served registers.

It uses the tariffs and the mandates' limits of the demo. It needs no balances, as they are not spent for days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.clock import to_ms, to_s
from hub.demo import ground_truth
from hub.demo.chain import MANDATE, RATES
from hub.demo.site import PEOPLE
from hub.postgres.db import Record
from hub.settings import Settings


@dataclass(frozen=True)
class ExpectedInterval:
    """The expected figures of one interval, by their names in the report, and of each participant, by id."""

    figures: Mapping[str, int | None]
    bills: Mapping[str, Mapping[str, int]]


Expected = Mapping[int, ExpectedInterval]
"""By interval start (s)."""


def expected_figures(settings: Settings, meters: Sequence[Record], starts: Sequence[datetime]) -> Expected | None:
    """Returns the expected figures of intervals, or None when served registers are not logged.

    An end of an interval that was not read lies between readings of up to an hour before and after it.
    """
    if settings.truth_file is None or not starts:
        return None
    site, seconds = _site(settings, meters), [to_s(start) for start in starts]
    log = ground_truth.read_log(settings.truth_file, since_s=min(seconds) - ground_truth.HOUR_S)
    energies = ground_truth.energies(log, site, min(seconds), max(seconds))
    return {start: _expected(ground_truth.settle(start, energies[start], site)) for start in seconds}


def _site(settings: Settings, meters: Sequence[Record]) -> ground_truth.Site:
    trader = ground_truth.Trader(
        max_debit_micros=MANDATE["max_debit_micros"], max_wh=MANDATE["max_wh"],
        max_price=MANDATE["max_price_mills"], min_price=MANDATE["min_price_mills"],
    )  # fmt: skip
    return ground_truth.Site(
        interval_s=settings.interval_s,
        poll_period_s=settings.poll_period_s,
        meters={
            row["meter_id"]: ground_truth.TruthMeter(
                # expected in intervals that begin at that time or later
                str(row["participant_id"]), row["rated_power_w"], -(-to_ms(row["expected_from"]) // 1000)
            )
            for row in meters
        },
        traders={str(each.participant_id): trader for each in PEOPLE if each.participates and each.trades},
        prices=ground_truth.Prices(
            RATES.export_tariff_mills, RATES.import_tariff_mills, RATES.wheeling_mills, RATES.platform_mills,
            RATES.loss_mills,
        ),
    )  # fmt: skip


def _expected(truth: ground_truth.IntervalTruth) -> ExpectedInterval:
    bills = {participant: vars(bill) for participant, bill in truth.bills.items()}
    lines = [bill for bill in bills.values() if bill["sold_wh"] or bill["bought_wh"]]
    figures = {
        "import_wh": sum(meter.import_wh for meter in truth.meters.values()),
        "export_wh": sum(meter.export_wh for meter in truth.meters.values()),
        "traded_wh": truth.volume_wh,
        "minted_wh": truth.minted_wh,
        "utility_bought_wh": sum(-min(bill["utility_wh"], 0) for bill in bills.values()),
        "utility_sold_wh": sum(max(bill["utility_wh"], 0) for bill in bills.values()),
        "price_mills": truth.price_mills,
        "lines": len(lines),
        "debit_micros": sum(bill["debit_micros"] for bill in lines),
        "credit_micros": sum(bill["credit_micros"] for bill in lines),
    }
    return ExpectedInterval(figures, bills)
