"""The rules of the market and the oracle, coded a second time, as simply as possible and sharing nothing with the hub.

Starts from the simulator's truth log (the registers that were served) and gives, per interval, every meter's energy and
every participant's trades, utility energy and money. Slow on purpose: every rule is one sentence and one loop.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

HOUR_S = 3600


@dataclass(frozen=True)
class TruthMeter:
    participant: str
    rated_power_w: int
    expected_from_s: int = 0


@dataclass(frozen=True)
class Prices:
    """Mills per kWh."""

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
    """Somebody with a wallet and a mandate; the defaults never bind. ``may_owe`` is in micros, before the auction."""

    may_owe: int = 10**18
    max_wh: int = 10**12
    max_price: int = 10**9
    min_price: int = 0
    ask: int | None = None
    bid: int | None = None


@dataclass(frozen=True)
class Site:
    interval_s: int
    poll_period_s: int
    grace_s: int
    meters: Mapping[str, TruthMeter]
    traders: Mapping[str, Trader]
    prices: Prices = field(default_factory=Prices)


@dataclass(frozen=True)
class MeterTruth:
    import_wh: int
    export_wh: int
    quality: str


@dataclass
class Bill:
    """One participant's interval; utility_wh and utility_micros are positive when the participant gave energy."""

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
    start_s: int
    price_mills: int | None
    volume_wh: int
    minted_wh: int
    meters: dict[str, MeterTruth]
    bills: dict[str, Bill]


@dataclass(frozen=True)
class Forward:
    seller: str
    buyer: str
    wh: int
    price: int


# From the log to registers at slots ------------------------------------------------------------------------------


def read_log(path: Path, *, since_s: int = 0) -> list[dict[str, Any]]:
    """Every whole line of the log from that moment on, and of the file before it that was full.

    A last line that a kill cut short is left out.
    """
    found = []
    for file in (path.with_name(path.name + ".1"), path):
        if file.exists():
            with file.open() as lines:
                entries = (json.loads(line) for line in lines if line.endswith("\n") and line != "\n")
                found += [entry for entry in entries if entry.get("t_ms", 0) >= since_s * 1000]
    return found


Slots = dict[int, tuple[int, int, int]]
"""slot_s: (read_ms, import_wh, export_wh)."""


def slots_of(log: Iterable[Mapping[str, Any]], meter: str, poll_period_s: int) -> Slots:
    """What the meter showed at each slot: the first answer of the slot, put together when it came in two."""
    mine = sorted((entry for entry in log if entry["meter"] == meter), key=lambda entry: entry["t_ms"])
    exports = any(entry["export_wh"] is not None for entry in mine)
    found: dict[int, dict[str, int]] = {}
    for entry in mine:
        if entry["via"] == "mqtt":
            read_ms = entry["payload_ms"]
            slot = read_ms // 1000
        else:
            read_ms = entry["t_ms"]
            slot = read_ms // 1000 // poll_period_s * poll_period_s
        seen = found.setdefault(slot, {"read_ms": read_ms})
        for register in ("import_wh", "export_wh"):
            if entry[register] is not None:
                seen.setdefault(register, entry[register])
        if not exports:
            seen["export_wh"] = 0
    return {
        slot: (seen["read_ms"], seen["import_wh"], seen["export_wh"])
        for slot, seen in sorted(found.items())
        if "import_wh" in seen and "export_wh" in seen
    }


# From registers to interval energy -------------------------------------------------------------------------------


def at_boundary(slots: Slots, at_s: int, until_s: int, poll_period_s: int) -> tuple[int, int, bool] | None:
    """(import, export, valid): read at the slot, else between neighbours an hour away at most."""
    if at_s in slots:
        return slots[at_s][1], slots[at_s][2], True
    earlier = [slot for slot in slots if at_s - HOUR_S <= slot < at_s]
    later = [slot for slot in slots if at_s < slot <= at_s + HOUR_S and slot <= until_s]
    if not earlier or not later:
        return None
    t0, in0, out0 = slots[max(earlier)]
    t1, in1, out1 = slots[min(later)]
    part = min(max(Fraction(at_s * 1000 - t0, t1 - t0), Fraction(0)), Fraction(1))
    near = min(later) - max(earlier) <= 2 * poll_period_s
    return in0 + int((in1 - in0) * part // 1), out0 + int((out1 - out0) * part // 1), near


def energy_of(slots: Slots, start_s: int, site: Site, rated_power_w: int) -> MeterTruth | None:
    """None when the meter gives no energy for the interval that one could use."""
    end_s = start_s + site.interval_s
    until_s = end_s + site.grace_s
    a = at_boundary(slots, start_s, until_s, site.poll_period_s)
    b = at_boundary(slots, end_s, until_s, site.poll_period_s)
    if a is None or b is None or _falls(slots, start_s, end_s, until_s):
        return None
    imported, exported = b[0] - a[0], b[1] - a[1]
    if imported < 0 or exported < 0:
        return None
    if max(imported, exported) > Fraction(rated_power_w * site.interval_s * 12, 3600 * 10):
        return MeterTruth(imported, exported, "suspect")
    return MeterTruth(imported, exported, "valid" if a[2] and b[2] else "estimated")


def _falls(slots: Slots, start_s: int, end_s: int, until_s: int) -> bool:
    """Whether a register goes back between the readings that the interval rests on."""
    chosen = {slot for slot in slots if start_s <= slot <= end_s}
    if start_s not in slots:
        chosen |= {max((s for s in slots if start_s - HOUR_S <= s < start_s), default=end_s)} & slots.keys()
    if end_s not in slots:
        chosen |= {min((s for s in slots if end_s < s <= until_s), default=start_s)} & slots.keys()
    ordered = [slots[slot] for slot in sorted(chosen)]
    return any(x[1] > y[1] or x[2] > y[2] for x, y in pairwise(ordered))


def energies(
    log: Iterable[Mapping[str, Any]], site: Site, first_s: int, last_s: int
) -> dict[int, dict[str, MeterTruth]]:
    """Every expected meter's energy in every interval from ``first_s`` to ``last_s``, both starts included."""
    entries = list(log)
    result: dict[int, dict[str, MeterTruth]] = {s: {} for s in range(first_s, last_s + 1, site.interval_s)}
    for name, meter in site.meters.items():
        slots = slots_of(entries, name, site.poll_period_s)
        valid: tuple[int, MeterTruth] | None = None
        for start_s, interval in result.items():
            if meter.expected_from_s > start_s:
                continue
            truth = energy_of(slots, start_s, site, meter.rated_power_w)
            if truth is None and valid is not None and valid[0] >= start_s - HOUR_S:
                truth = MeterTruth(valid[1].import_wh, valid[1].export_wh, "estimated")
            interval[name] = truth or MeterTruth(0, 0, "missing")
            if truth is not None and truth.quality == "valid":
                valid = (start_s + site.interval_s, truth)
    return result


# From interval energy to bills -----------------------------------------------------------------------------------


def settle(
    start_s: int, meters: Mapping[str, MeterTruth], site: Site, forward: Iterable[Forward] = ()
) -> IntervalTruth:
    """The interval's auction and everybody's bill."""
    bills = _metered(meters, site)
    for trade in forward:
        _book(bills, trade.seller, trade.buyer, trade.wh, trade.price, site.prices.charges)
    bids, asks = _wishes(bills, site)
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
    minted = sum(m.export_wh for m in meters.values() if m.quality == "valid")
    return IntervalTruth(start_s, price, sum(sold.values()), minted, dict(meters), bills)


def _metered(meters: Mapping[str, MeterTruth], site: Site) -> dict[str, Bill]:
    bills: dict[str, Bill] = {}
    for name, energy in meters.items():
        bill = bills.setdefault(site.meters[name].participant, Bill())
        bill.import_wh += energy.import_wh
        bill.export_wh += energy.export_wh
        bill.valid = bill.valid and energy.quality == "valid"
    return bills


def _book(bills: dict[str, Bill], seller: str, buyer: str, wh: int, price: int, charges: int) -> None:
    bills[seller].sold_wh += wh
    bills[seller].credit_micros += wh * price
    bills[buyer].bought_wh += wh
    bills[buyer].debit_micros += wh * (price + charges)


Book = dict[str, tuple[int, int]]
"""participant: (net price, Wh)."""


def _wishes(bills: Mapping[str, Bill], site: Site) -> tuple[Book, Book]:
    prices, bids, asks = site.prices, {}, {}
    for participant, bill in bills.items():
        if not bill.valid or participant not in site.traders:
            continue
        trader = site.traders[participant]
        over = (bill.export_wh - bill.import_wh) - (bill.sold_wh - bill.bought_wh)
        if over > 0:
            wh = min(over, trader.max_wh - bill.sold_wh)
            if wh > 0:
                asks[participant] = (max(trader.ask or 0, prices.export_tariff, trader.min_price), wh)
        elif over < 0:
            wanted = trader.bid if trader.bid is not None else prices.import_tariff * 85 // 100
            all_in = min(wanted, prices.import_tariff, trader.max_price)
            can_pay = max(0, trader.may_owe - bill.debit_micros) // all_in if all_in else -over
            wh = min(-over, can_pay, trader.max_wh - bill.bought_wh)
            if wh > 0 and all_in >= prices.charges:
                bids[participant] = (all_in - prices.charges, wh)
    return bids, asks


def auction(bids: Book, asks: Book) -> tuple[int | None, dict[str, int], dict[str, int]]:
    """(price, bought, sold), level by level: the volume is the most that both sides agree to at any one price."""
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
    bought, sold = share(bids, volume, dearest_first=True), share(asks, volume, dearest_first=False)
    accepted_bids = [bids[p][0] for p, wh in bought.items() if wh > 0]
    accepted_asks = [asks[p][0] for p, wh in sold.items() if wh > 0]
    open_bids = [price for p, (price, wh) in bids.items() if bought[p] < wh]
    open_asks = [price for p, (price, wh) in asks.items() if sold[p] < wh]
    low, high = max(accepted_asks + open_bids), min(accepted_bids + open_asks)
    return (low + high) // 2, bought, sold


def share(book: Book, volume: int, *, dearest_first: bool) -> dict[str, int]:
    """Level by level; the level that does not fit shares in proportion, largest remainders get the rest."""
    given = dict.fromkeys(book, 0)
    for level in sorted({price for price, _ in book.values()}, reverse=dearest_first):
        group = sorted(p for p, (price, _) in book.items() if price == level)
        wanted = sum(book[p][1] for p in group)
        if wanted <= volume:
            given |= {p: book[p][1] for p in group}
            volume -= wanted
            continue
        exact = {p: Fraction(book[p][1] * volume, wanted) for p in group}
        given |= {p: int(exact[p]) for p in group}
        left = volume - sum(given[p] for p in group)
        for p in sorted(group, key=lambda p: (int(exact[p]) - exact[p], p))[:left]:
            given[p] += 1
        break
    return given
