"""An independent implementation of the rules of market and oracle; it is simple and shares no code with the hub.

From every meter's energy in an interval, which ``true_energy`` reads out of the simulator's log, it computes every
participant's trades, utility energy and money. It is slow on purpose: every rule is one sentence and one loop.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from hub.demo import true_energy
from hub.demo.served_log import LogEntry
from hub.demo.true_energy import Energies, MeterTruth

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
    """The settings of a site, its meters and traders by name.

    ``own_clocks``: its gateways are synchronised, and so take the time of a meter that publishes one.
    """

    interval_s: int
    poll_period_s: int
    meters: Mapping[str, TruthMeter]
    traders: Mapping[str, Trader]
    prices: Prices = field(default_factory=Prices)
    own_clocks: bool = True


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


def energies(log: Iterable[LogEntry], site: Site, first_start_s: int, last_start_s: int) -> Energies:
    """Returns every meter's energy in the intervals from the first start to the last, in s since 1970."""
    meters = {name: true_energy.Meter(m.rated_power_w, m.expected_from_s) for name, m in site.meters.items()}
    times = true_energy.Times(site.interval_s, site.poll_period_s, site.own_clocks)
    return true_energy.energies(log, meters, times, first_start_s, last_start_s)


def settle(
    start_s: int,
    meters: Mapping[str, MeterTruth],
    site: Site,
    forward: Iterable[ForwardTrade] = (),
    corrected: Mapping[str, MeterTruth] | None = None,
) -> IntervalTruth:
    """Runs the interval's auction and computes all bills.

    Trades follow from ``meters``, what was attested first, and stand. What is left is the utility's, by what was
    ``corrected`` since, if anything was.
    """
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
    for participant, in_the_end in _bills_of_meters(corrected or meters, site).items():
        bill = bills[participant]
        bill.import_wh, bill.export_wh, bill.valid = in_the_end.import_wh, in_the_end.export_wh, in_the_end.valid
        bill.utility_wh = (bill.export_wh - bill.import_wh) - (bill.sold_wh - bill.bought_wh)
        tariff = site.prices.export_tariff if bill.utility_wh > 0 else site.prices.import_tariff
        bill.utility_micros = bill.utility_wh * tariff
    minted_wh = sum(meter.export_wh for meter in meters.values() if meter.quality == "valid")
    return IntervalTruth(start_s, price, sum(sold.values()), minted_wh, dict(corrected or meters), bills)


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
