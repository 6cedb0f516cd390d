"""Turns rows of trades and clearings into what the API shows."""

from collections.abc import Sequence

from hub.http.rows import Row, show
from hub.market.schemas import (
    ChainTransaction,
    Clearing,
    CurvePoint,
    MeterProofLink,
    SettlementLine,
    Trade,
    TradeDetail,
    TradeState,
    TradeStep,
)

CHARGES = ("wheeling_mills", "platform_mills", "loss_mills")


def trade(row: Row) -> Trade:
    """Returns a trade from the viewer's side: a buyer pays price and charges, a seller gets the price."""
    charges_mills = _charges(row) if row["side"] == "buy" else 0
    return Trade(
        trade_id=row["trade_id"].hex(),
        start_at=row["start_at"],
        end_at=row["end_at"],
        side=row["side"],
        kind=row["kind"],
        zone=row["zone"],
        wh=row["wh"],
        price_mills=row["price_mills"],
        charges_mills=charges_mills,
        micros=row["wh"] * (row["price_mills"] + charges_mills),
        traded_at=row["traded_at"],
        state=state(row),
    )


def state(row: Row) -> TradeState:
    """Returns the state of a trade; it is final when the close of its interval's settlement is finalised."""
    if row["close_state"] == "finalized":
        return "final"
    if row["settle_state"] in {"confirmed", "finalized"}:
        return "confirmed"
    if row["settle_state"] == "submitted":
        return "sent"
    return "cleared" if row["planned_at"] is None else "planned"


def detail(row: Row, line: Row | None, transactions: Sequence[Row], meters: Sequence[Row]) -> TradeDetail:
    """Returns a trade with its five steps, its settlement line, its transactions and the viewer's meters."""
    summary = trade(row)
    times = {
        "cleared": row["traded_at"],
        "planned": row["planned_at"],
        "sent": row["sent_at"],
        "confirmed": row["confirmed_at"],
        "final": row["final_at"],
    }
    return TradeDetail.model_validate(
        dict(
            **summary.model_dump(),
            steps=[TradeStep.model_validate({"name": name, "at": at}) for name, at in times.items()],
            **{name: row[name] or 0 for name in CHARGES},
            energy_micros=row["wh"] * row["price_mills"],
            charges_micros=row["wh"] * summary.charges_mills,
            line=None if line is None else show(SettlementLine, line),
            transactions=[show(ChainTransaction, transaction) for transaction in transactions],
            meters=[show(MeterProofLink, meter) for meter in meters],
        )
    )


def clearing(row: Row, curve: Sequence[Row]) -> Clearing:
    """Returns a clearing with its curves: asks by rising price, bids by falling price."""
    asks = [show(CurvePoint, point) for point in curve if point["side"] == "ask"]
    bids = [show(CurvePoint, point) for point in curve if point["side"] == "bid"]
    return show(Clearing, row, supply=asks, demand=bids[::-1])


def _charges(row: Row) -> int:
    return sum(row[name] or 0 for name in CHARGES)
