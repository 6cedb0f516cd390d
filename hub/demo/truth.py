"""Expected figures for the demo's report, from ``ground_truth`` and the simulator's log of served registers.

It uses the tariffs and the mandates' limits of the demo. It needs no balances, as they are not spent for days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hub.clock import rfc3339_s, to_ms, to_s
from hub.demo import ground_truth
from hub.demo.chain import MANDATE, RATES
from hub.demo.served_log import Fault, LogEntry, faults_of, read_log
from hub.demo.site import PEOPLE
from hub.demo.true_energy import Energies, MeterTruth, Total
from hub.postgres.db import Record
from hub.settings import Settings

OVERLOAD_PERCENT = 120


@dataclass(frozen=True)
class StoredEnergy:
    """What the hub attested of a meter's interval: in its first revision, and in the one that is in force."""

    first: MeterTruth
    now: MeterTruth


Stored = Mapping[int, Mapping[str, StoredEnergy]]
"""By interval start (s) and meter."""


@dataclass(frozen=True)
class ExpectedInterval:
    """The expected figures of one interval, by their names in the report, and of each participant, by id.

    ``differences`` are sentences on meters whose stored energy is wrong, ``estimated`` those of which nobody can know
    it.
    """

    figures: Mapping[str, int | None]
    bills: Mapping[str, Mapping[str, int]]
    differences: Sequence[str] = ()
    estimated: Sequence[str] = ()


@dataclass(frozen=True)
class Expected:
    """Expected figures by interval start (s); ``totals`` are sentences on wrong sums over several intervals.

    ``faults`` has for each meter those of the scenario that played.
    """

    by_start: Mapping[int, ExpectedInterval]
    totals: Sequence[str]
    faults: Mapping[str, Sequence[Fault]]


def expected_figures(
    settings: Settings,
    meters: Sequence[Record],
    starts: Sequence[datetime],
    stored: Stored | None = None,
    *,
    own_clocks: bool = True,
) -> Expected | None:
    """Returns the expected figures of intervals, or None when served registers are not logged.

    An end of an interval that was not read lies between readings of up to an hour before and after it. What nobody can
    know is taken from ``stored`` where it lies within its limits; without it, it is a simple guess. ``own_clocks``:
    see ``ground_truth.Site``.
    """
    if settings.truth_file is None or not starts:
        return None
    site, seconds = replace(_site(settings, meters), own_clocks=own_clocks), [to_s(start) for start in starts]
    log: list[LogEntry] = list(read_log(settings.truth_file, since_s=min(seconds) - ground_truth.HOUR_S))
    energies = ground_truth.energies(log, site, min(seconds), max(seconds))
    intervals = {
        start: _expected(start, energies.by_start[start], site, {} if stored is None else stored.get(start, {}))
        for start in seconds
    }
    totals = [] if stored is None else _wrong_totals(energies, stored)
    return Expected(intervals, totals, {name: faults_of(log, name) for name in site.meters})


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


def _expected(
    start_s: int,
    truths: Mapping[str, MeterTruth],
    site: ground_truth.Site,
    stored: Mapping[str, StoredEnergy],
) -> ExpectedInterval:
    first, now, differences = dict(truths), dict(truths), list[str]()
    for name, truth in truths.items():
        if name not in stored:
            continue
        has = stored[name]
        now[name] = truth if truth.known else has.now
        first[name] = truth if truth.known and has.first == has.now else has.first
        wrong = _wrong(truth, has.now) or _too_much(site, name, has.first)
        differences += [f"{name}: {text}" for text in wrong]
    settled = ground_truth.settle(start_s, first, site, corrected=now)
    estimated = sorted(name for name, truth in truths.items() if truth.quality != "valid")
    return _figures(settled, differences, estimated)


def _figures(
    settled: ground_truth.IntervalTruth, differences: Sequence[str], estimated: Sequence[str]
) -> ExpectedInterval:
    bills = {participant: vars(bill) for participant, bill in settled.bills.items()}
    lines = [bill for bill in bills.values() if bill["sold_wh"] or bill["bought_wh"]]
    figures = {
        "import_wh": sum(meter.import_wh for meter in settled.meters.values()),
        "export_wh": sum(meter.export_wh for meter in settled.meters.values()),
        "traded_wh": settled.volume_wh,
        "minted_wh": settled.minted_wh,
        "utility_bought_wh": sum(-min(bill["utility_wh"], 0) for bill in bills.values()),
        "utility_sold_wh": sum(max(bill["utility_wh"], 0) for bill in bills.values()),
        "price_mills": settled.price_mills,
        "lines": len(lines),
        "debit_micros": sum(bill["debit_micros"] for bill in lines),
        "credit_micros": sum(bill["credit_micros"] for bill in lines),
    }
    return ExpectedInterval(figures, bills, differences, estimated)


def _wrong(truth: MeterTruth, has: MeterTruth) -> list[str]:
    """Returns what is wrong with the energy of the revision in force."""
    if truth.known:
        said = [(key, getattr(has, key), getattr(truth, key)) for key in ("import_wh", "export_wh", "quality")]
        return [f"{key} is {found}, the ground truth says {right}" for key, found, right in said if found != right]
    limits = (
        ("import_wh", has.import_wh, truth.least_import_wh, truth.most_import_wh),
        ("export_wh", has.export_wh, truth.least_export_wh, truth.most_export_wh),
    )
    wrong = [
        f"{key} is {found}, the ground truth says from {least} to {most}"
        for key, found, least, most in limits
        if not least <= found <= most
    ]
    if has.quality == "valid" and truth.quality in ("estimated", "missing"):
        wrong.append("it is valid, and nobody measured it")
    elif has.quality != "valid" and truth.quality == "valid":
        wrong.append(f"it is {has.quality}, and was measured")
    return wrong


def _too_much(site: ground_truth.Site, name: str, first: MeterTruth) -> list[str]:
    """Returns what is wrong with the first revision: it may be wrong, but never by more than the meter can pass."""
    most_wh = site.meters[name].rated_power_w * site.interval_s * OVERLOAD_PERCENT // (100 * 3600)
    too_much = max(first.import_wh, first.export_wh) > most_wh
    return [f"its first revision has more than {most_wh} Wh"] if too_much else []


def _wrong_totals(energies: Energies, stored: Stored) -> list[str]:
    return [text for total in energies.totals if (text := _wrong_total(total, stored))]


def _wrong_total(total: Total, stored: Stored) -> str:
    rows = [stored[start][total.meter] for start in total.starts_s if total.meter in stored.get(start, {})]
    summed = sum(row.now.import_wh for row in rows), sum(row.now.export_wh for row in rows)
    right = total.import_wh, total.export_wh
    if len(rows) < len(total.starts_s) or summed == right:
        return ""
    span = f"{len(rows)} intervals from {rfc3339_s(total.starts_s[0])} on"
    return f"{total.meter}, {span}: import and export are {summed} Wh, the registers say {right}"
