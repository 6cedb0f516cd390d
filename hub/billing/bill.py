"""Turns rows of a participant's intervals into what the API shows: intervals, bill lines and their sums."""

from collections.abc import Iterable

from hub.billing.schemas import BillLine, BillTotals, ParticipantInterval
from hub.http.rows import Row, show
from hub.market.schemas import MeterProofLink


def interval(row: Row) -> ParticipantInterval:
    """Returns an interval as the API shows it."""
    return show(ParticipantInterval, row)


def line(row: Row, links: Iterable[Row]) -> BillLine:
    """Returns a bill line with the participant's meters in its interval."""
    meters = [show(MeterProofLink, link) for link in links if link["start_at"] == row["start_at"]]
    return show(BillLine, row, meters=meters)


def totals(row: Row) -> BillTotals:
    """Returns the sums of a range of intervals as the API shows them."""
    return show(BillTotals, row)
