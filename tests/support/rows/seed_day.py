"""Seeds a morning around the seeded interval, so that the Today page has bars."""

from math import pi, sin
from uuid import UUID

from hub.clock import at_s
from hub.postgres.db import Connection
from support.rows.seed import ANNA, BEN, CLEO, INTERVAL_S, METERS, PRICE, START_S, Campus, stand_in

MIDNIGHT_S = START_S - 11 * 3600 - 1800
"""2026-05-31T22:00:00Z: midnight in Zurich."""
DAWN_S, DUSK_S = MIDNIGHT_S + 21_600, MIDNIGHT_S + 73_800
EXPORT_TARIFF, IMPORT_TARIFF, CHARGES = 2200, 5000, 130


async def seed_morning(connection: Connection, campus: Campus) -> None:
    """Inserts reconciled intervals from midnight to the running one, except the one that ``seed_campus`` has made."""
    async with connection.transaction():
        for number, start_s in enumerate(range(MIDNIGHT_S, START_S + 2 * INTERVAL_S, INTERVAL_S)):
            if start_s != START_S:
                await _interval(connection, campus, number, start_s)


def _energy(number: int, start_s: int) -> tuple[int, int]:
    """Returns Anna's import and export in Wh."""
    share = (start_s - DAWN_S) / (DUSK_S - DAWN_S)
    generation = round(1150 * sin(pi * share)) if share > 0 else 0
    load = 90 + 25 * (number * 7 % 5) + (160 if 26 <= number < 31 else 0)
    own_use = min(generation, load // 2)
    return load - own_use if generation < load else load // 3, max(0, generation - own_use)


async def _interval(connection: Connection, campus: Campus, number: int, start_s: int) -> None:
    imported, exported = _energy(number, start_s)
    net, start, end = exported - imported, at_s(start_s), at_s(start_s + INTERVAL_S)
    reached = [at_s(start_s + INTERVAL_S + seconds) for seconds in (5, 6, 7, 12, 20)]
    price = 3600 + 40 * (number % 14)
    await connection.execute(
        "INSERT INTO intervals (start_at, end_at, state, attested_at, cleared_at, planned_at, closed_at, "
        "reconciled_at) VALUES ($1, $2, 'reconciled', $3, $4, $5, $6, $7)",
        start, end, *reached,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO attestations VALUES ($1, 1, $2, 3, 0, $3, $4, $5)", start, stand_in(f"root {number}"), imported,
        exported, reached[0],
    )  # fmt: skip
    boundary_id = campus.readings["METER_001", START_S]
    await connection.execute(
        "INSERT INTO interval_readings VALUES ($1, 1, $2, $3, 0, $4, $5, 'valid', '{}', $6, $6, $7)",
        start, "METER_001", METERS["METER_001"], imported, exported, boundary_id, bytes(16),
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO clearings VALUES ($1, $2, $3, $2, $2, $4, $5)",
        start, price, abs(net), stand_in(f"journal {number}"), reached[1],
    )  # fmt: skip
    traded = _traded(number, net)
    if traded:
        seller, buyer = (ANNA, (BEN, CLEO)[number % 2]) if traded > 0 else (BEN, ANNA)
        await _trade(connection, number, start_s, seller, buyer, abs(traded), min(price, PRICE))
    utility = net - traded
    tariff = IMPORT_TARIFF if utility < 0 else EXPORT_TARIFF
    await connection.execute(
        "INSERT INTO utility_lines VALUES ($1, 1, $2, $3, $4, $5, 'valid')", start, ANNA, utility, tariff,
        utility * tariff,
    )  # fmt: skip


def _traded(number: int, net: int) -> int:
    """Returns the part of Anna's net energy that she trades: most by day, some before dawn, nothing after midnight."""
    if net > 0:
        return min(net, 520 + 60 * (number % 5))
    return -(-net * 2 // 3) if number >= 20 else 0


async def _trade(
    connection: Connection, number: int, start_s: int, seller: UUID, buyer: UUID, wh: int, price: int
) -> None:
    await connection.execute(
        "INSERT INTO trades (trade_id, start_at, kind, seller_id, buyer_id, ask_order_id, bid_order_id, fill_index, "
        "wh, price_mills, traded_at) VALUES ($1, $2, 'ex_post', $3, $4, $5, $6, 0, $7, $8, $9)",
        stand_in(f"morning trade {number}"), at_s(start_s), seller, buyer, stand_in(f"order {ANNA}"),
        stand_in(f"order {BEN}"), wh, price, at_s(start_s + INTERVAL_S + 6),
    )  # fmt: skip
