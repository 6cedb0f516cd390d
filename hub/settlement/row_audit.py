"""Whether the rows that people are billed by follow from what was committed to the chain: hashed and netted again.

Reconcile compares the commitments with the chain; equal commitments say nothing of rows that changed beneath them.
"""

from hashlib import sha256
from uuid import UUID

from edge.wire import merkle
from edge.wire.ladder import interval_leaf
from hub.clock import to_s
from hub.errors import HubError
from hub.market import repository as market
from hub.market.auction.residuals import positions
from hub.market.service import published_journal
from hub.market.utility import utility_lines
from hub.metering.readings import Quality
from hub.postgres.db import Connection
from hub.settlement import repository
from hub.settlement.instructions import IntervalRows
from hub.settlement.lines import Line, line_leaf, line_of
from hub.settlement.plan import plan
from hub.units import Wh


async def differences(connection: Connection, rows: IntervalRows) -> list[str]:
    """What in the interval's rows does not follow from its commitments, in words."""
    return [
        *await _readings(connection, rows),
        *_lines(rows),
        *await _trades(connection, rows),
        *await _utility(connection, rows.start_s),
    ]


async def _readings(connection: Connection, rows: IntervalRows) -> list[str]:
    found = await repository.attested_readings(connection, rows.start_s)
    times = rows.start_s, to_s(rows.facts["end_at"])
    leaves = [
        interval_leaf(*times, r["meter_id"], r["import_wh"], r["export_wh"], r["quality"], r["blinding"]) for r in found
    ]
    valid = [r for r in found if r["quality"] == Quality.VALID.value]
    sums = sum(r["import_wh"] for r in valid), sum(r["export_wh"] for r in valid)
    said = []
    if merkle.root(leaves) != bytes(rows.facts["merkle_root"]):
        said.append("the interval readings are not those of the attested root")
    if sums != (rows.facts["import_wh"], rows.facts["export_wh"]):
        said.append(f"the valid interval readings sum to {sums} Wh, not to what was attested")
    return said


def _lines(rows: IntervalRows) -> list[str]:
    lines = [line_of(row) for row in rows.lines]
    root = merkle.root([line_leaf(rows.start_s, index, line) for index, line in enumerate(lines)])
    names = ("sold_wh", "bought_wh", "credit_micros", "debit_micros")
    sums = [("line_count", len(lines)), *((name, sum(getattr(line, name) for line in lines)) for name in names)]
    said = [
        f"{name} of the lines is {x}, {rows.facts[name]} was committed" for name, x in sums if x != rows.facts[name]
    ]
    if root != bytes(rows.facts["lines_root"]):
        said.append("the settlement lines are not those of the committed root")
    return said


async def _trades(connection: Connection, rows: IntervalRows) -> list[str]:
    trades = await market.trades(connection, rows.start_s)
    rates = await market.rates_at(connection, rows.start_s)
    wallets: dict[UUID, bytes] = {line.participant_id: line.wallet for line in map(line_of, rows.lines)}
    minted = Wh(rows.facts["minted_wh"])
    try:
        netted = plan(rows.start_s, trades, wallets, rates, minted_wh=minted, batch_lines=max(1, len(wallets))).lines
    except HubError as error:
        return [f"the trades can not be netted: {error}"]
    said = []
    if sorted(netted, key=_who) != sorted(map(line_of, rows.lines), key=_who):
        said.append("the trades do not net to the settlement lines")
    journal = await published_journal(connection, rows.start_s)
    if rows.lines and sha256(journal).digest() != bytes(rows.facts["journal_hash"]):
        said.append("orders and trades are not those of the committed journal")
    return said


def _who(line: Line) -> UUID:
    return line.participant_id


async def _utility(connection: Connection, start_s: int) -> list[str]:
    rates = await market.rates_at(connection, start_s)
    metered = [row.metered for row in await market.metered_energy(connection, start_s)]
    traded = positions(await market.trades(connection, start_s), rates.charges_mills)
    expected = {li.participant_id: li for li in utility_lines(metered, traded, rates)}
    stored = {li.participant_id: li for li in await market.utility_lines(connection, start_s)}
    wrong = [str(who) for who in sorted(expected.keys() | stored.keys()) if expected.get(who) != stored.get(who)]
    return [f"the utility lines of {', '.join(wrong[:5])} do not follow from energy and trades"] if wrong else []
