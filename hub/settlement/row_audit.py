"""Checks that the rows behind the bills agree with the interval's commitments, by hashing and netting them again.

Reconcile compares the commitments with the chain. It would not notice a changed row whose commitment is still the same.
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
from hub.settlement.lines import Line, line_leaf, line_of
from hub.settlement.plan import plan
from hub.settlement.repository import IntervalRows
from hub.units import Wh


async def differences(connection: Connection, rows: IntervalRows) -> list[str]:
    """Returns in words how the interval's rows differ from its commitments.

    Raises:
        ConfigError: no rates are stored for the interval.
        ValueError: a wallet is no public key.
    """
    return [
        *await _reading_differences(connection, rows),
        *_line_differences(rows),
        *await _trade_differences(connection, rows),
        *await _utility_differences(connection, rows.start_s),
    ]


async def _reading_differences(connection: Connection, rows: IntervalRows) -> list[str]:
    readings = await repository.attested_readings(connection, rows.start_s)
    times = rows.start_s, to_s(rows.interval["end_at"])
    leaves = [
        interval_leaf(*times, r["meter_id"], r["import_wh"], r["export_wh"], r["quality"], r["blinding"])
        for r in readings
    ]
    valid = [reading for reading in readings if reading["quality"] == Quality.VALID.value]
    sums = sum(reading["import_wh"] for reading in valid), sum(reading["export_wh"] for reading in valid)
    differences = []
    if merkle.root(leaves) != bytes(rows.interval["merkle_root"]):
        differences.append("the interval readings are not those of the attested root")
    if sums != (rows.interval["import_wh"], rows.interval["export_wh"]):
        differences.append(f"the valid interval readings sum to {sums} Wh, not to what was attested")
    return differences


def _line_differences(rows: IntervalRows) -> list[str]:
    lines = [line_of(row) for row in rows.lines]
    root = merkle.root([line_leaf(rows.start_s, index, line) for index, line in enumerate(lines)])
    names = ("sold_wh", "bought_wh", "credit_micros", "debit_micros")
    sums = {"line_count": len(lines)} | {name: sum(getattr(line, name) for line in lines) for name in names}
    differences = [
        f"{name} of the lines is {value}, {rows.interval[name]} was committed"
        for name, value in sums.items()
        if value != rows.interval[name]
    ]
    if root != bytes(rows.interval["lines_root"]):
        differences.append("the settlement lines are not those of the committed root")
    return differences


async def _trade_differences(connection: Connection, rows: IntervalRows) -> list[str]:
    trades = await market.trades(connection, rows.start_s)
    rates = await market.rates_at(connection, rows.start_s)
    wallets: dict[UUID, bytes] = {line.participant_id: line.wallet for line in map(line_of, rows.lines)}
    minted_wh = Wh(rows.interval["minted_wh"])
    try:
        netted = plan(rows.start_s, trades, wallets, rates, minted_wh=minted_wh, batch_lines=max(1, len(wallets))).lines
    except HubError as error:
        return [f"the trades can not be netted: {error}"]
    differences = []
    if sorted(netted, key=_participant_id) != sorted(map(line_of, rows.lines), key=_participant_id):
        differences.append("the trades do not net to the settlement lines")
    journal = await published_journal(connection, rows.start_s)
    if rows.lines and sha256(journal).digest() != bytes(rows.interval["journal_hash"]):
        differences.append("orders and trades are not those of the committed journal")
    return differences


def _participant_id(line: Line) -> UUID:
    return line.participant_id


async def _utility_differences(connection: Connection, start_s: int) -> list[str]:
    rates = await market.rates_at(connection, start_s)
    metered = [row.metered for row in await market.metered_energy(connection, start_s)]
    traded = positions(await market.trades(connection, start_s), rates.charges_mills)
    expected = {line.participant_id: line for line in utility_lines(metered, traded, rates)}
    stored = {line.participant_id: line for line in await market.utility_lines(connection, start_s)}
    participants = sorted(expected.keys() | stored.keys())
    wrong = [str(participant) for participant in participants if expected.get(participant) != stored.get(participant)]
    return [f"the utility lines of {', '.join(wrong[:5])} do not follow from energy and trades"] if wrong else []
