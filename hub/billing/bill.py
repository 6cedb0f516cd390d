"""Rows of a participant's intervals as the API shows them: plain intervals, bill lines and their sums."""

from collections.abc import Iterable

from hub.billing.schemas import BillLine, BillTotals, ParticipantInterval
from hub.http.rows import Row, show
from hub.market.schemas import MeterProofLink


def interval(row: Row) -> ParticipantInterval:
    """One interval."""
    return show(ParticipantInterval, row)


def line(row: Row, links: Iterable[Row]) -> BillLine:
    """One bill line with the meters behind it."""
    meters = [show(MeterProofLink, link) for link in links if link["start_at"] == row["start_at"]]
    return show(BillLine, row, meters=meters)


def totals(row: Row) -> BillTotals:
    """The sums of a range."""
    return show(BillTotals, row)
