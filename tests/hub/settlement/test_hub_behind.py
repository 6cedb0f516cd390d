"""A hub whose clock was behind: what came meanwhile is in doubt for good, an alarm says why, and accepting mends it."""

import secrets
from uuid import UUID

from edge.wire.kinds import Record
from hub.clock import ManualClock, at_s
from hub.ingest.service import Incoming, store_batch
from hub.market.auction.service import clear_attested
from hub.market.corrections import write_utility_lines
from hub.metering.corrections.service import correct_next
from hub.metering.decisions.service import Decider, accept_gateway
from hub.metering.oracle import OracleConfig, attest_due
from hub.operator.queries import clock_doubts
from hub.postgres.db import Pool
from hub.postgres.db import Record as Row
from support.rows.gateways import PERIOD_S, START_S, SealingGateway, reading
from support.rows.site_rows import ALWAYS, KnownFunds, add_coverage, add_rates, lead

LENGTH_S, INTERVALS, SLOTS = 100, 3, 10
END_S = START_S + INTERVALS * LENGTH_S
BEHIND_MS = 600_000
CLOCK = ManualClock((END_S + 50) * 1000)
OPERATOR = Decider(UUID(int=7), "The hub had lost its time server")


async def receive(pool: Pool, gateway: SealingGateway, records: list[Record], *, behind_ms: int) -> None:
    """Stores a frame as a hub does whose clock is that far behind."""
    frame = gateway.seal(records)
    received_ms = frame.header.sealed_at_ms - behind_ms
    message = Incoming(f"pw.frame.{gateway.gateway_id}", frame.encode(), received_ms, received_ms)
    assert not (await store_batch(pool, ManualClock(received_ms), [message])).refused


async def doubts(pool: Pool) -> list[Row]:
    async with pool.acquire() as connection:
        return await clock_doubts(connection, at_s(0))


async def energies(pool: Pool) -> set[tuple[object, ...]]:
    """Returns energy and quality of every meter's newest revision of each interval."""
    rows = await pool.fetch(
        """
        SELECT DISTINCT ON (start_at, meter_id) start_at, meter_id, import_wh, export_wh, quality
        FROM interval_readings ORDER BY start_at, meter_id, revision DESC
        """
    )
    return {tuple(row)[2:] for row in rows if row["start_at"] > at_s(START_S)}


async def test_what_came_while_the_hub_was_behind_is_billed_when_it_was_accepted(pool: Pool) -> None:
    await add_rates(pool)
    await add_coverage(pool)
    await pool.execute(
        "INSERT INTO users (user_id, email, display_name, role) VALUES ($1, 'op@x.example', 'Op', 'operator')",
        OPERATOR.user_id,
    )
    for gateway_id, meter_id in (("gw-north", "METER_001"), ("gw-south", "METER_002")):
        gateway = SealingGateway(gateway_id, (meter_id,))
        await gateway.register(pool)
        first = [reading(0, slot) for slot in range(SLOTS + 1)]
        later = [reading(0, slot) for slot in range(SLOTS + 1, INTERVALS * SLOTS + 1)]
        await receive(pool, gateway, [*gateway.declarations(), *first], behind_ms=0)
        await receive(pool, gateway, list(later), behind_ms=BEHIND_MS)
    await pool.execute("UPDATE meters SET expected_from = $1", at_s(START_S))
    await pool.execute("UPDATE gateways SET last_beat_at = now()")
    lease = await lead(pool)
    await attest_due(pool, lease, CLOCK, OracleConfig(LENGTH_S, PERIOD_S, 0, ALWAYS))
    await clear_attested(pool, lease, CLOCK, KnownFunds())
    assert await energies(pool) == {(0, 0, "missing")}

    found = await doubts(pool)
    assert {row["gateway_id"] for row in found} == {"gw-north", "gw-south"}
    for row in found:
        assert (row["gateways_ahead"], row["gateways"], row["readings"]) == (2, 2, 2 * SLOTS)
        assert (row["start_at"], row["end_at"]) == (at_s(START_S + LENGTH_S), at_s(END_S))
        async with pool.acquire() as connection, connection.transaction():
            span = START_S + LENGTH_S, END_S
            [taken] = await accept_gateway(connection, row["gateway_id"], span, OPERATOR, CLOCK)
            assert taken.intervals_marked >= INTERVALS - 1
    while await correct_next(pool, lease, CLOCK, PERIOD_S, None, write_utility_lines, secrets.token_bytes, quiet_ms=0):
        pass
    assert await energies(pool) == {(30, 10, "valid")}
    assert await doubts(pool) == []
