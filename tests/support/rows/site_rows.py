"""Writes a small site straight into the database, for tests of the oracle, the market and the planner."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from uuid import UUID

from solders.keypair import Keypair

from hub.clock import Clock, at_ms, at_s
from hub.ingest.coverage import Coverage
from hub.market.funds import ParticipantFunds
from hub.postgres.db import Connection, Pool
from hub.postgres.lease import Lease, acquire
from support.rows.worked_example import AMPLE

BOOT = b"b" * 16
ALWAYS = Coverage(0, 4_102_444_800_000)
"""The coverage of a hub that is never away, until the year 2100."""


def wallet(participant: UUID) -> str:
    """Returns a participant's wallet (base58), the same in every test."""
    return str(Keypair.from_seed(sha256(participant.bytes).digest()).pubkey())


def same_time_as(clock: Clock) -> Callable[[Connection], Awaitable[int]]:
    """Returns a clock of the database that agrees with this one."""

    async def now_ms(_: Connection) -> int:
        return clock.now_ms()

    return now_ms


async def lead(pool: Pool, holder: str = "test", *, seconds: int = 60) -> Lease:
    """Takes the lease `market`, under which the rounds write."""
    async with pool.acquire() as connection:
        lease = await acquire(connection, "market", holder, seconds=seconds)
    assert lease is not None
    return lease


async def end_leases(pool: Pool) -> None:
    """Lets every lease expire now, as when its holder was killed long ago."""
    await pool.execute("UPDATE leases SET expires_at = now() - interval '1 second'")


async def lost_lease(pool: Pool) -> Lease:
    """Returns a lease that has expired and that another holder has taken since."""
    lease = await lead(pool)
    await end_leases(pool)
    await lead(pool, "another")
    return lease


async def add_rates(pool: Pool, effective_from_s: int = 0, wheeling_mills: int = 100) -> None:
    await pool.execute("INSERT INTO rates VALUES ($1, $2, 25, 5, 2200, 5000)", at_s(effective_from_s), wheeling_mills)


async def add_participant(pool: Pool, participant: UUID, *, trades: bool = True) -> None:
    await pool.execute(
        "INSERT INTO participants (participant_id, name, wallet) VALUES ($1, $2, $3)",
        participant,
        f"Participant {participant.int}",
        wallet(participant) if trades else None,
    )


async def add_meter(
    pool: Pool, meter_id: str, owner: UUID, *, expected_from_s: int = 0, rated_power_w: int = 100_000
) -> None:
    await pool.execute(
        "INSERT INTO gateways (gateway_id, building) VALUES ('gw-north', 'North') ON CONFLICT DO NOTHING"
    )
    await pool.execute(
        """
        INSERT INTO meters (meter_id, gateway_id, participant_id, kind, rated_power_w, serial, building, expected_from)
        VALUES ($1, 'gw-north', $2, 'bidirectional', $3, $1, 'North', $4)
        """,
        meter_id,
        owner,
        rated_power_w,
        at_s(expected_from_s),
    )


async def add_coverage(pool: Pool, since_s: int = 0, seen_s: int = ALWAYS.seen_ms // 1000) -> None:
    """Says that the hub took frames in without a break from ``since_s`` to ``seen_s``, by default always."""
    await pool.execute("INSERT INTO ingest_coverage VALUES ('test', $1, $2)", at_s(since_s), at_s(seen_s))


async def add_readings(
    pool: Pool, meter_id: str, registers: Sequence[tuple[int, int, int]], *, period_s: int = 60
) -> None:
    """Adds readings exactly at their slots: (slot_s, import_wh, export_wh); a meter's sequence counts its slots."""
    assert all(slot_s % period_s == 0 for slot_s, _, _ in registers)
    await pool.executemany(
        """
        INSERT INTO readings (reading_id, meter_id, gateway_id, boot_id, frame_sequence, record_index, meter_sequence,
                              slot_at, read_at, time_quality, meter_state, flags, import_wh, export_wh)
        VALUES ($1, $2, 'gw-north', $3, 0, 0, $4, $5, $6, 'S', 'G', 0, $7, $8)
        """,
        [
            (
                sha256(f"{meter_id}/{slot_s}".encode()).digest(),
                meter_id,
                BOOT,
                slot_s // period_s,
                at_s(slot_s),
                at_ms(slot_s * 1000),
                import_wh,
                export_wh,
            )
            for slot_s, import_wh, export_wh in registers
        ],
    )  # fmt: skip


async def add_interval_energy(pool: Pool, meter_id: str, start_s: int, length_s: int, energy: tuple[int, int]) -> None:
    """Adds a reading a minute over [start, end]; the energy (import, export) in Wh grows evenly."""
    newest = await pool.fetchrow(
        "SELECT import_wh, export_wh FROM readings WHERE meter_id = $1 ORDER BY slot_at DESC LIMIT 1", meter_id
    )
    before = (1000, 1000) if newest is None else (newest["import_wh"], newest["export_wh"])
    slots = range(0 if newest is None else 60, length_s + 1, 60)
    grown = [[wh + more * s // length_s for wh, more in zip(before, energy, strict=True)] for s in slots]
    await add_readings(pool, meter_id, [(start_s + s, *wh) for s, wh in zip(slots, grown, strict=True)])


class KnownFunds:
    """Implements ``hub.market.funds.Funds`` with values of the test, by default ample funds for everybody."""

    def __init__(self, funds: Mapping[UUID, ParticipantFunds] | None = None) -> None:
        self._funds = funds
        self.requests: list[tuple[frozenset[UUID], int, int]] = []

    async def funds(self, wallets: Mapping[UUID, str], start_s: int, end_s: int) -> Mapping[UUID, ParticipantFunds]:
        self.requests.append((frozenset(wallets), start_s, end_s))
        assert all(address == wallet(p) for p, address in wallets.items())
        return {p: AMPLE if self._funds is None else self._funds[p] for p in wallets}
