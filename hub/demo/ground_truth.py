"""An independent implementation of the rules of market and oracle; it is simple and shares no code with the hub.

It reads the simulator's log of served registers and computes, for each interval, every meter's energy and every
participant's trades, utility energy and money. It is slow on purpose: every rule is one sentence and one loop.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

HOUR_S = 3600


@dataclass(frozen=True)
class TruthMeter:
    """A meter: its participant, and the time in Unix seconds from which intervals wait for it."""

    participant: str
    rated_power_w: int
    expected_from_s: int = 0


@dataclass(frozen=True)
class Prices:
    """Tariffs and charges in mills per kWh."""

    export_tariff: int = 2200
    import_tariff: int = 5000
    wheeling: int = 100
    platform: int = 25
    loss: int = 5

    @property
    def charges(self) -> int:
        return self.wheeling + self.platform + self.loss


@dataclass(frozen=True)
class Trader:
    """A participant's limits before the auction, prices in mills per kWh; the defaults never limit."""

    max_debit_micros: int = 10**18
    max_wh: int = 10**12
    max_price: int = 10**9
    min_price: int = 0
    ask: int | None = None
    bid: int | None = None


@dataclass(frozen=True)
class Site:
    """The settings of a site, its meters and traders by name."""

    interval_s: int
    poll_period_s: int
    meters: Mapping[str, TruthMeter]
    traders: Mapping[str, Trader]
    prices: Prices = field(default_factory=Prices)


@dataclass(frozen=True)
class MeterTruth:
    """One meter's energy in one interval; quality is valid, estimated or missing."""

    import_wh: int
    export_wh: int
    quality: str


@dataclass
class Bill:
    """One participant's interval; utility energy and money are positive when the participant sold to the utility."""

    import_wh: int = 0
    export_wh: int = 0
    valid: bool = True
    sold_wh: int = 0
    bought_wh: int = 0
    credit_micros: int = 0
    debit_micros: int = 0
    utility_wh: int = 0
    utility_micros: int = 0


@dataclass(frozen=True)
class IntervalTruth:
    """All figures of one interval; meters and participants by name."""

    start_s: int
    price_mills: int | None
    volume_wh: int
    minted_wh: int
    meters: dict[str, MeterTruth]
    bills: dict[str, Bill]


@dataclass(frozen=True)
class ForwardTrade:
    """A trade agreed before the interval, at a price in mills per kWh."""

    seller: str
    buyer: str
    wh: int
    price: int


# From the log to registers at slots ------------------------------------------------------------------------------


def read_log(path: Path, *, since_s: int = 0) -> list[dict[str, Any]]:
    """Returns the entries of the log and of the rotated file before it, from ``since_s`` on.

    A last line that is incomplete, because the simulator was killed, is left out.
    """
    log_entries = []
    for file in (path.with_name(path.name + ".1"), path):
        if file.exists():
            with file.open() as lines:
                entries = (json.loads(line) for line in lines if line.endswith("\n") and line != "\n")
                log_entries += [entry for entry in entries if entry.get("t_ms", 0) >= since_s * 1000]
    return log_entries


Slots = dict[int, tuple[int, int, int]]
"""By slot (Unix seconds): (read_ms, import_wh, export_wh)."""


def slots_of(log: Iterable[Mapping[str, Any]], meter: str, poll_period_s: int) -> Slots:
    """Returns a meter's registers at each slot: those of the slot's first answer, which may be in two parts."""
    entries = sorted((entry for entry in log if entry["meter"] == meter), key=lambda entry: entry["t_ms"])
    exports = any(entry["export_wh"] is not None for entry in entries)
    by_slot: dict[int, dict[str, int]] = {}
    for entry in entries:
        if entry["via"] == "mqtt":
            read_ms = entry["payload_ms"]
            slot = read_ms // 1000
        else:
            read_ms = entry["t_ms"]
            slot = read_ms // 1000 // poll_period_s * poll_period_s
        registers = by_slot.setdefault(slot, {"read_ms": read_ms})
        for name in ("import_wh", "export_wh"):
            if entry[name] is not None:
                registers.setdefault(name, entry[name])
        if not exports:
            registers["export_wh"] = 0
    return {
        slot: (registers["read_ms"], registers["import_wh"], registers["export_wh"])
        for slot, registers in sorted(by_slot.items())
        if "import_wh" in registers and "export_wh" in registers
    }


# From registers to interval energy -------------------------------------------------------------------------------


def at_boundary(slots: Slots, at_s: int, poll_period_s: int) -> tuple[int, int, bool] | None:
    """Returns (import_wh, export_wh, is_valid) at a boundary: read there, or on the line between its neighbours."""
    placed = [(_placed_ms(slot, read[0], poll_period_s), slot) for slot, read in slots.items()]
    here = [slot for at_ms, slot in placed if at_ms == at_s * 1000]
    if here:
        return slots[here[0]][1], slots[here[0]][2], True
    earlier = [pair for pair in placed if pair[0] < at_s * 1000]
    later = [pair for pair in placed if pair[0] > at_s * 1000]
    if not earlier or not later:
        return None
    (before_ms, before), (after_ms, after) = max(earlier), min(later)
    fraction = Fraction(at_s * 1000 - before_ms, after_ms - before_ms)
    return (
        slots[before][1] + int((slots[after][1] - slots[before][1]) * fraction // 1),
        slots[before][2] + int((slots[after][2] - slots[before][2]) * fraction // 1),
        after - before <= 2 * poll_period_s,
    )


def _placed_ms(slot: int, read_ms: int, poll_period_s: int) -> int:
    """Returns the time that a reading stands for: its slot when it was read soon after it, else when it was read."""
    return slot * 1000 if abs(read_ms - slot * 1000) <= max(1000, poll_period_s * 250) else read_ms


def energy_of(slots: Slots, start_s: int, site: Site, rated_power_w: int) -> MeterTruth:
    """Returns a meter's energy in an interval, from registers that never fall.

    Where an end lies before the first reading or after the last, only what lies between was measured.
    """
    end_s = start_s + site.interval_s
    start = at_boundary(slots, start_s, site.poll_period_s)
    end = at_boundary(slots, end_s, site.poll_period_s)
    rated = Fraction(rated_power_w * site.interval_s, 3600)
    if start is None or end is None:
        inside = [slots[slot] for slot in sorted(slots) if start_s <= slot <= end_s]
        if not inside:
            return MeterTruth(0, 0, "missing")
        first, last = start or inside[0][1:], end or inside[-1][1:]
        return MeterTruth(min(last[0] - first[0], int(rated)), min(last[1] - first[1], int(rated)), "estimated")
    imported, exported = end[0] - start[0], end[1] - start[1]
    if max(imported, exported) > rated * Fraction(12, 10):
        return MeterTruth(min(imported, int(rated)), min(exported, int(rated)), "estimated")
    return MeterTruth(imported, exported, "valid" if start[2] and end[2] else "estimated")


def energies(
    log: Iterable[Mapping[str, Any]], site: Site, first_start_s: int, last_start_s: int
) -> dict[int, dict[str, MeterTruth]]:
    """Returns every meter's energy in each interval by its start in Unix seconds.

    A meter is in the intervals that start at or after the time from which it is expected.
    """
    log = list(log)
    result: dict[int, dict[str, MeterTruth]] = {
        start_s: {} for start_s in range(first_start_s, last_start_s + 1, site.interval_s)
    }
    for name, meter in site.meters.items():
        slots = slots_of(log, name, site.poll_period_s)
        for start_s, interval in result.items():
            if start_s >= meter.expected_from_s:
                interval[name] = energy_of(slots, start_s, site, meter.rated_power_w)
    return result


def settle(
    start_s: int, meters: Mapping[str, MeterTruth], site: Site, forward: Iterable[ForwardTrade] = ()
) -> IntervalTruth:
    """Runs the interval's auction and computes all bills."""
    bills = _bills_of_meters(meters, site)
    for trade in forward:
        _add_trade(bills, trade.seller, trade.buyer, trade.wh, trade.price, site.prices.charges)
    bids, asks = _orders_of(bills, site)
    price, bought, sold = auction(bids, asks)
    for participant, wh in bought.items():
        bills[participant].bought_wh += wh
        bills[participant].debit_micros += wh * ((price or 0) + site.prices.charges)
    for participant, wh in sold.items():
        bills[participant].sold_wh += wh
        bills[participant].credit_micros += wh * (price or 0)
    for bill in bills.values():
        bill.utility_wh = (bill.export_wh - bill.import_wh) - (bill.sold_wh - bill.bought_wh)
        tariff = site.prices.export_tariff if bill.utility_wh > 0 else site.prices.import_tariff
        bill.utility_micros = bill.utility_wh * tariff
    minted_wh = sum(meter.export_wh for meter in meters.values() if meter.quality == "valid")
    return IntervalTruth(start_s, price, sum(sold.values()), minted_wh, dict(meters), bills)


def _bills_of_meters(meters: Mapping[str, MeterTruth], site: Site) -> dict[str, Bill]:
    bills: dict[str, Bill] = {}
    for name, energy in meters.items():
        bill = bills.setdefault(site.meters[name].participant, Bill())
        bill.import_wh += energy.import_wh
        bill.export_wh += energy.export_wh
        bill.valid = bill.valid and energy.quality == "valid"
    return bills


def _add_trade(bills: dict[str, Bill], seller: str, buyer: str, wh: int, price: int, charges: int) -> None:
    bills[seller].sold_wh += wh
    bills[seller].credit_micros += wh * price
    bills[buyer].bought_wh += wh
    bills[buyer].debit_micros += wh * (price + charges)


Orders = dict[str, tuple[int, int]]
"""By participant: (price in mills per kWh without charges, energy in Wh)."""


def _orders_of(bills: Mapping[str, Bill], site: Site) -> tuple[Orders, Orders]:
    prices, bids, asks = site.prices, {}, {}
    for participant, bill in bills.items():
        if not bill.valid or participant not in site.traders:
            continue
        trader = site.traders[participant]
        surplus_wh = (bill.export_wh - bill.import_wh) - (bill.sold_wh - bill.bought_wh)
        if surplus_wh > 0:
            wh = min(surplus_wh, trader.max_wh - bill.sold_wh)
            if wh > 0:
                asks[participant] = (max(trader.ask or 0, prices.export_tariff, trader.min_price), wh)
        elif surplus_wh < 0:
            limit = trader.bid if trader.bid is not None else prices.import_tariff * 85 // 100
            all_in_price = min(limit, prices.import_tariff, trader.max_price)
            affordable_wh = (
                max(0, trader.max_debit_micros - bill.debit_micros) // all_in_price if all_in_price else -surplus_wh
            )
            wh = min(-surplus_wh, affordable_wh, trader.max_wh - bill.bought_wh)
            if wh > 0 and all_in_price >= prices.charges:
                bids[participant] = (all_in_price - prices.charges, wh)
    return bids, asks


def auction(bids: Orders, asks: Orders) -> tuple[int | None, dict[str, int], dict[str, int]]:
    """Returns (price, bought, sold); the volume is the largest that both sides accept at one price level."""
    levels = {price for price, _ in (*bids.values(), *asks.values())}
    volume = max(
        (
            min(
                sum(wh for price, wh in bids.values() if price >= level),
                sum(wh for price, wh in asks.values() if price <= level),
            )
            for level in levels
        ),
        default=0,
    )
    if volume == 0:
        return None, {}, {}
    bought, sold = allocate(bids, volume, highest_first=True), allocate(asks, volume, highest_first=False)
    accepted_bids = [bids[participant][0] for participant, wh in bought.items() if wh > 0]
    accepted_asks = [asks[participant][0] for participant, wh in sold.items() if wh > 0]
    open_bids = [price for participant, (price, wh) in bids.items() if bought[participant] < wh]
    open_asks = [price for participant, (price, wh) in asks.items() if sold[participant] < wh]
    lowest, highest = max(accepted_asks + open_bids), min(accepted_bids + open_asks)
    return (lowest + highest) // 2, bought, sold


def allocate(book: Orders, volume: int, *, highest_first: bool) -> dict[str, int]:
    """Allocates the volume level by level; the last level shares in proportion, the largest remainders get the rest."""
    allocated = dict.fromkeys(book, 0)
    for level in sorted({price for price, _ in book.values()}, reverse=highest_first):
        group = sorted(participant for participant, (price, _) in book.items() if price == level)
        group_wh = sum(book[participant][1] for participant in group)
        if group_wh <= volume:
            allocated |= {participant: book[participant][1] for participant in group}
            volume -= group_wh
            continue
        exact_wh = {participant: Fraction(book[participant][1] * volume, group_wh) for participant in group}
        allocated |= {participant: int(exact_wh[participant]) for participant in group}
        rest = volume - sum(allocated[participant] for participant in group)
        for participant in sorted(
            group, key=lambda participant: (int(exact_wh[participant]) - exact_wh[participant], participant)
        )[:rest]:
            allocated[participant] += 1
        break
    return allocated
