"""The checks that need only the chain: its accounts, and the lines in its transactions. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator

from edge.wire import merkle
from edge.wire.ladder import line_leaf
from hub.audit.checks import Check
from hub.audit.facts import (
    ABORT_AFTER_S,
    FEEDER_METER,
    LOAD_METER,
    OPEN_WINDOW_S,
    MeterStatus,
    PublicInterval,
    RegisteredMeter,
    Revision,
    SettlementStatus,
)
from hub.metering.runs import OVERLOAD_PERCENT


def hours(seconds: int) -> str:
    """Formats a duration in hours and minutes."""
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def no_effective_lines(interval: PublicInterval) -> str | None:
    """Returns why there are no lines to check, or None."""
    if interval.settlement is None:
        return "nothing was settled (yet)"
    if not interval.settlement.has_effect:
        return f"no line counts: the settlement is {interval.settlement.status.name.lower()}"
    return None


def _not_attested_yet(interval: PublicInterval) -> str | None:
    if interval.first_revision is not None:
        return None
    if interval.now_s <= interval.end_s + OPEN_WINDOW_S:
        return "not attested yet, and it is not late"
    if all(meter.since_s > interval.start_s for meter in interval.meters):
        return "not attested, and no meter is registered since before its start"
    return None


def _attested_in_time(interval: PublicInterval) -> Iterator[str]:
    first_revision, end_s = interval.first_revision, interval.end_s
    if first_revision is None:
        yield f"nobody has attested it {hours(interval.now_s - end_s)} after its end"
    elif first_revision.attested_s > end_s + OPEN_WINDOW_S:
        yield f"it was attested {hours(first_revision.attested_s - end_s)} after its end"
    for revision in interval.revisions:
        is_of_interval = (revision.start_s, revision.end_s) == (interval.start_s, end_s)
        if revision.attested_s < revision.end_s or not is_of_interval:
            yield f"revision {revision.number} is of another time, or older than the interval's end"


def not_attested(interval: PublicInterval) -> str | None:
    """Returns why there is no revision to check, or None."""
    return "it is not attested" if interval.first_revision is None else None


def _meters_attested(interval: PublicInterval) -> Iterator[str]:
    expected = [
        meter for meter in interval.meters if meter.status is MeterStatus.ACTIVE and meter.since_s <= interval.start_s
    ]
    for revision in interval.revisions:
        if revision.meter_count < len(expected):
            yield (
                f"revision {revision.number} speaks of {revision.meter_count} meters, and {len(expected)} have been "
                f"registered and active since before its start"
            )


def _rated_powers_unknown(interval: PublicInterval) -> str | None:
    unregistered = max((revision.meter_count for revision in interval.revisions), default=0) - len(interval.meters)
    if unregistered > 0:
        return (
            f"at least {unregistered} meters are of people without a wallet, and only the hub knows what those can pass"
        )
    return not_attested(interval)


def _energy_possible(interval: PublicInterval) -> Iterator[str]:
    for revision in interval.revisions:
        max_import_wh, max_export_wh = _max_energy(interval, revision)
        for direction, wh, max_wh in (
            ("import", revision.import_wh, max_import_wh),
            ("export", revision.export_wh, max_export_wh),
        ):
            if wh > max_wh:
                yield (
                    f"revision {revision.number} attests {wh} Wh of {direction}, the registered meters pass {max_wh} "
                    "at most"
                )


def _max_energy(interval: PublicInterval, revision: Revision) -> tuple[int, int]:
    """Returns the most Wh that all meters but feeders can import, and the generating ones export."""
    length_s = revision.end_s - revision.start_s
    counted = [meter for meter in interval.meters if meter.kind != FEEDER_METER]
    generating = [meter for meter in counted if meter.kind != LOAD_METER]
    return max_energy_wh(counted, length_s), max_energy_wh(generating, length_s)


def max_energy_wh(meters: Iterable[RegisteredMeter], length_s: int) -> int:
    """Returns the Wh that these meters can pass at most, short overload included (the oracle's rule "rated power")."""
    return sum(meter.rated_power_w for meter in meters) * length_s * OVERLOAD_PERCENT // (3600 * 100)


def _not_minted(interval: PublicInterval) -> str | None:
    return "nothing was minted (yet)" if interval.minted_wh is None else None


def _minted_as_attested(interval: PublicInterval) -> Iterator[str]:
    if interval.minted_wh != interval.mintable_wh:
        yield f"{interval.minted_wh} Wh were minted, {interval.mintable_wh} Wh are attested in time to be minted"


def _not_settled_yet(interval: PublicInterval) -> str | None:
    if interval.settlement is None and interval.now_s <= interval.end_s + ABORT_AFTER_S:
        return "not settled yet, and it is not late"
    return not_attested(interval)


def _settled_in_time(interval: PublicInterval) -> Iterator[str]:
    settlement, end_s, late = interval.settlement, interval.end_s, interval.now_s - interval.end_s
    if settlement is None:
        yield f"it is attested, and nobody has closed it {hours(late)} after its end"
        return
    if settlement.has_effect and settlement.opened_s < end_s:
        yield "its settlement was opened before its end"
    if settlement.has_effect and settlement.opened_s > end_s + OPEN_WINDOW_S:
        yield f"its settlement was opened {hours(settlement.opened_s - end_s)} after its end"
    if settlement.status in (SettlementStatus.OPEN, SettlementStatus.RETURNING) and late > ABORT_AFTER_S:
        yield f"its settlement is still {settlement.status.name.lower()} {hours(late)} after its end"


def _no_settlement(interval: PublicInterval) -> str | None:
    return "nothing was settled (yet)" if interval.settlement is None else None


def _not_taken_back(interval: PublicInterval) -> Iterator[str]:
    settlement = interval.settlement
    if settlement is None or settlement.status not in (SettlementStatus.ABORTED, SettlementStatus.RETURNING):
        return
    after_s = (settlement.closed_s or interval.now_s) - interval.end_s
    if after_s < ABORT_AFTER_S:
        yield f"its settlement was aborted within {hours(after_s)} of its end, with {settlement.cursor} lines settled"


def _lines_committed(interval: PublicInterval) -> Iterator[str]:
    settlement, lines = interval.settlement, interval.lines
    assert settlement is not None  # noqa: S101 - `no_effective_lines`
    if len(lines) != settlement.cursor:
        yield (
            f"the transactions that this node keeps show {len(lines)} lines, the settlement counts "
            f"{settlement.cursor}: ask one that keeps them all"
        )
        return
    repeated = [wallet for wallet, count in Counter(line.wallet for line in lines).items() if count > 1]
    if repeated:
        yield f"{len(repeated)} wallets have more than one line"
    if settlement.cursor < settlement.line_count:
        return
    leaves = [line_leaf(interval.start_s, index, line.wallet, *line.figures) for index, line in enumerate(lines)]
    if merkle.root(leaves) != settlement.lines_root:
        yield "the lines do not lead to the root that was committed to"
    committed = settlement.sold_wh, settlement.bought_wh, settlement.credit_micros, settlement.debit_micros
    sums = tuple(sum(column) for column in zip(*(line.figures for line in lines), strict=True)) or (0,) * 4
    if sums != committed:
        yield f"the lines sum to {sums} (sold, bought, credit, debit), {committed} was committed to"


def _rates_unknown(interval: PublicInterval) -> str | None:
    if interval.rates is None:
        return "governance no longer tells the rates of that time: only those of the last days"
    return no_effective_lines(interval)


def _charges_in_force(interval: PublicInterval) -> Iterator[str]:
    settlement, rates = interval.settlement, interval.rates
    assert settlement is not None and rates is not None  # noqa: S101 - `_rates_unknown`
    if settlement.rates != rates:
        yield f"it was settled at {settlement.rates}, governance had {rates} in force"
    charged = settlement.debit_micros - settlement.credit_micros
    due = settlement.bought_wh * rates.charges_mills
    if charged != due:
        yield f"{charged} micros of charges were taken, {settlement.bought_wh} Wh at those rates make {due}"
    if settlement.sold_wh != settlement.bought_wh:
        yield f"{settlement.sold_wh} Wh were sold and {settlement.bought_wh} Wh bought"


def _sellers_generate(interval: PublicInterval) -> Iterator[str]:
    length_s = interval.end_s - interval.start_s
    for index, line in enumerate(interval.lines):
        net_sold_wh = line.sold_wh - line.bought_wh
        wallet_meters = [
            meter
            for meter in interval.meters
            if meter.kind not in (LOAD_METER, FEEDER_METER)
            and (meter.owner == line.wallet or meter.since_s > interval.start_s)
        ]
        max_wh = max_energy_wh(wallet_meters, length_s)
        if net_sold_wh > max_wh:
            yield (
                f"line {index} sells {net_sold_wh} Wh more than it buys, and its wallet's meters generate {max_wh} "
                "at most"
            )


CHAIN_CHECKS = (
    Check(
        "attested_in_time",
        "the interval was left out, or its energy was made up later: nobody can trade what is attested so late",
        _attested_in_time,
        _not_attested_yet,
    ),
    Check(
        "meters_attested",
        "somebody's meter was left out of the interval: its owner finds out with their own signed readings",
        _meters_attested,
        not_attested,
    ),
    Check("energy_possible", "energy was made up", _energy_possible, _rated_powers_unknown),
    Check("minted_as_attested", "the chain runs other programs than the published", _minted_as_attested, _not_minted),
    Check("settled_in_time", "money of payers waits in escrow, or energy was never burned", _settled_in_time,
          _not_settled_yet),
    Check(
        "not_taken_back",
        "the settler's key took credits back: before a day has passed nobody else can abort",
        _not_taken_back,
        _no_settlement,
    ),
    Check("lines_committed", "a line was changed, dropped or added after the commitment", _lines_committed,
          no_effective_lines),
    Check("charges_in_force", "charges were taken that governance has not decided", _charges_in_force,
          _rates_unknown),
    Check("sellers_generate", "energy was sold by somebody who can not have had it", _sellers_generate,
          no_effective_lines),
)  # fmt: skip
