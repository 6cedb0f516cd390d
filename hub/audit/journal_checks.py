"""The checks that need the published journal besides the chain: they run the auction again and compare sums. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from uuid import UUID

from hub.audit.chain_checks import no_effective_lines, not_attested
from hub.audit.checks import Check
from hub.audit.facts import OPEN_WINDOW_S, PublicInterval, Settlement, SettlementStatus
from hub.errors import PermanentError
from hub.market.auction.clearing import Clearing, clear
from hub.market.orders import RESIDUAL_SEQUENCE, Order, Side, Trade, credit, debit, trade_id
from hub.market.published_journal import JournalMalformedError, PublishedJournal, read_journal

NO_JOURNAL = "there is no journal to read"


def _journal_not_requested(interval: PublicInterval) -> str | None:
    if interval.journal is None and not interval.journal_requested:
        return "no journal was given: name the hub or a file"
    return no_effective_lines(interval)


def _journal_committed(interval: PublicInterval) -> Iterator[str]:
    settlement, journal = interval.settlement, interval.journal
    assert settlement is not None  # noqa: S101 - `no_effective_lines`
    if journal is None:
        yield "the hub publishes no journal of this interval"
        return
    if sha256(journal).digest() != settlement.journal_hash:
        yield f"the journal's SHA-256 is not the committed {settlement.journal_hash.hex()}"
    try:
        published = read_journal(journal)
    except JournalMalformedError as error:
        yield str(error)
        return
    yield from _journal_differences(interval.start_s, published, settlement)


def _journal_differences(start_s: int, published: PublishedJournal, settlement: Settlement) -> Iterator[str]:
    pairs = (
        ("start", published.start_s, start_s),
        ("price", published.price_mills or 0, settlement.clearing_price_mills),
        ("charges", published.charges_mills, settlement.rates.charges_mills),
    )
    for name, published_value, committed in pairs:
        if published_value != committed:
            yield f"the journal's {name} is {published_value}, the settlement's {committed}"


def _unreadable(interval: PublicInterval) -> str | None:
    return no_effective_lines(interval) or (NO_JOURNAL if interval.published is None else None)


def _published(interval: PublicInterval) -> PublishedJournal:
    published = interval.published
    assert published is not None  # noqa: S101 - `_unreadable`
    return published


def residual_orders(published: PublishedJournal) -> list[Order]:
    """Returns the automatic orders, which the auction cleared; they all arrive at once."""
    return [order for order in published.orders if order.sequence == RESIDUAL_SEQUENCE]


def forward_trades(published: PublishedJournal) -> list[Trade]:
    """Returns the trades that were agreed before the interval."""
    return [trade for trade in published.trades if trade.kind == "forward"]


def _clears_again(interval: PublicInterval) -> Iterator[str]:
    published = _published(interval)
    published_trades = [trade for trade in published.trades if trade.kind != "forward"]
    try:
        clearing = _clear(interval.start_s, published)
    except PermanentError as error:
        yield f"no auction could be held with these orders: {error}"
        return
    if clearing.price_mills != published.price_mills:
        yield f"the orders clear at {clearing.price_mills} mills, not at {published.price_mills}"
    if list(clearing.trades) != published_trades:
        pairs = zip(clearing.trades, published_trades, strict=False)
        equal_count = sum(cleared == shown for cleared, shown in pairs)
        yield (
            f"the orders clear to {len(clearing.trades)} trades over {clearing.volume_wh} Wh; the journal has "
            f"{len(published_trades)} over {sum(trade.wh for trade in published_trades)} Wh, of which {equal_count} "
            "are the same"
        )


def _clear(start_s: int, published: PublishedJournal) -> Clearing:
    return clear(start_s, residual_orders(published))


def _limits_within_tariffs(interval: PublicInterval) -> Iterator[str]:
    settlement = interval.settlement
    assert settlement is not None  # noqa: S101 - `_unreadable`
    rates = settlement.rates
    for order in _published(interval).orders:
        rank = order.participant_id.int
        if order.side is Side.ASK and order.limit_mills < rates.export_tariff_mills:
            yield f"rank {rank} asks {order.limit_mills} mills, below the export tariff {rates.export_tariff_mills}"
        all_in = order.limit_mills + rates.charges_mills
        if order.side is Side.BID and all_in > rates.import_tariff_mills:
            yield f"rank {rank} bids {all_in} mills all-in, above the import tariff {rates.import_tariff_mills}"


def _forward_within_orders(interval: PublicInterval) -> Iterator[str]:
    published, filled = _published(interval), Counter[bytes]()
    orders = {order.order_id: order for order in published.orders}
    for trade in forward_trades(published):
        ask, bid = orders.get(trade.ask_order_id), orders.get(trade.bid_order_id)
        if ask is None or bid is None or not _follows_from(trade, ask, bid):
            yield f"the forward trade {trade.trade_id.hex()} does not follow from its orders"
        filled[trade.ask_order_id] += trade.wh
        filled[trade.bid_order_id] += trade.wh
    for order_id, wh in filled.items():
        order = orders.get(order_id)
        if order is not None and wh > order.wh:
            yield f"the order {order_id.hex()} of {order.wh} Wh was filled with {wh} Wh"


def _follows_from(trade: Trade, ask: Order, bid: Order) -> bool:
    expected_id = trade_id(trade.start_s, ask.order_id, bid.order_id, trade.fill_index, trade.wh, trade.price_mills)
    return (
        (ask.side, bid.side) == (Side.ASK, Side.BID)
        and (ask.participant_id, bid.participant_id) == (trade.seller_id, trade.buyer_id)
        and trade.seller_id != trade.buyer_id
        and ask.limit_mills <= trade.price_mills <= bid.limit_mills
        and trade.trade_id == expected_id
    )


def _unreadable_or_not_attested(interval: PublicInterval) -> str | None:
    return _unreadable(interval) or not_attested(interval)


def _orders_backed(interval: PublicInterval) -> Iterator[str]:
    """Compares the least metered energy that the orders imply with the attested energy.

    A residual order is at most ``(export - import) - (sold - bought)`` of its participant, so that order and forward
    trades give a lower bound of what was metered.
    """
    published, first_revision = _published(interval), interval.first_revision
    assert first_revision is not None  # noqa: S101 - `_unreadable_or_not_attested`
    forward_wh = Counter[UUID]()
    for trade in forward_trades(published):
        forward_wh[trade.seller_id] += trade.wh
        forward_wh[trade.buyer_id] -= trade.wh
    export_wh = import_wh = 0
    for order in residual_orders(published):
        metered_wh = order.wh if order.side is Side.ASK else -order.wh
        metered_wh += forward_wh[order.participant_id]
        export_wh += max(metered_wh, 0) if order.side is Side.ASK else 0
        import_wh += max(-metered_wh, 0) if order.side is Side.BID else 0
    for direction, wh, attested_wh in (
        ("export", export_wh, first_revision.export_wh),
        ("import", import_wh, first_revision.import_wh),
    ):
        if wh > attested_wh:
            yield f"the orders stand for at least {wh} Wh of {direction}, {attested_wh} Wh are attested"


def net_figures(published: PublishedJournal) -> dict[UUID, tuple[int, int, int, int]]:
    """Returns sold and bought Wh, credit and debit in micros, by the rank of each participant who traded."""
    sums: dict[UUID, list[int]] = {}
    for trade in published.trades:
        seller, buyer = (sums.setdefault(rank, [0, 0, 0, 0]) for rank in (trade.seller_id, trade.buyer_id))
        seller[0] += trade.wh
        seller[2] += credit(trade)
        buyer[1] += trade.wh
        buyer[3] += debit(trade, published.charges_mills)
    return {rank: (sold, bought, credited, debited) for rank, (sold, bought, credited, debited) in sums.items()}


def _trades_net_to_lines(interval: PublicInterval) -> Iterator[str]:
    settlement = interval.settlement
    assert settlement is not None  # noqa: S101 - `_unreadable`
    traded = Counter(net_figures(_published(interval)).values())
    settled = Counter(line.figures for line in interval.lines)
    not_traded, not_settled = list((settled - traded).elements()), list((traded - settled).elements())
    if not_traded:
        yield f"no rank's trades come to {_describe(not_traded)}, which was settled"
    if not_settled and settlement.cursor == settlement.line_count:
        yield f"a rank's trades come to {_describe(not_settled)}, which was not settled"


def _describe(figures: Sequence[tuple[int, int, int, int]]) -> str:
    sold, bought, credited, debited = figures[0]
    more = f" (and {len(figures) - 1} more)" if len(figures) > 1 else ""
    return f"{sold} Wh sold, {bought} Wh bought, {credited} micros credit, {debited} micros debit{more}"


def _not_closed_empty(interval: PublicInterval) -> str | None:
    settlement = interval.settlement
    if settlement is None or settlement.status is not SettlementStatus.EMPTY:
        return "it was not closed without lines"
    return NO_JOURNAL if interval.published is None else None


def _empty_without_trades(interval: PublicInterval) -> Iterator[str]:
    settlement, published = interval.settlement, _published(interval)
    assert settlement is not None  # noqa: S101 - `_not_closed_empty`
    if settlement.closed_s > interval.end_s + OPEN_WINDOW_S:
        return
    try:
        volume_wh = _clear(interval.start_s, published).volume_wh
    except PermanentError as error:
        yield f"no auction could be held with these orders: {error}"
        return
    if volume_wh or published.trades:
        yield f"its orders clear to {volume_wh} Wh, and the settler closed it without a line"


JOURNAL_CHECKS = (
    Check("journal_committed", "the orders and trades shown are not those that were settled", _journal_committed,
          _journal_not_requested),
    Check("clears_again", "price or trades are not what the market's rules make of the orders", _clears_again,
          _unreadable),
    Check("limits_within_tariffs", "somebody traded worse than with the utility, or an order was made up",
          _limits_within_tariffs, _unreadable),
    Check("forward_within_orders", "a forward trade was made up or changed", _forward_within_orders, _unreadable),
    Check("orders_backed", "energy was traded that was not measured", _orders_backed,
          _unreadable_or_not_attested),
    Check("trades_net_to_lines", "money moved that the trades do not account for", _trades_net_to_lines, _unreadable),
    Check("empty_without_trades", "trades were suppressed", _empty_without_trades, _not_closed_empty),
)  # fmt: skip
