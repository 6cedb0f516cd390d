"""Writes a small site straight into the database, for tests of the oracle, the market and the planner."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from uuid import UUID

from solders.keypair import Keypair

from hub.clock import at_ms, at_s
from hub.market.funds import ParticipantFunds
from hub.postgres.db import Pool
from hub.postgres.lease import Lease, acquire
from support.rows.worked_example import AMPLE

BOOT = b"b" * 16


def wallet(participant: UUID) -> str:
    """Returns a participant's wallet (base58), the same in every test."""
    return str(Keypair.from_seed(sha256(participant.bytes).digest()).pubkey())


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


async def add_readings(pool: Pool, meter_id: str, registers: Sequence[tuple[int, int, int]]) -> None:
    """Adds readings exactly at their slots: (slot_s, import_wh, export_wh)."""
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
                slot_s // 60,
                at_s(slot_s),
                at_ms(slot_s * 1000),
                import_wh,
                export_wh,
            )
            for slot_s, import_wh, export_wh in registers
        ],
    )  # fmt: skip


async def add_interval_energy(pool: Pool, meter_id: str, start_s: int, length_s: int, energy: tuple[int, int]) -> None:
    """Adds a reading a minute over [start, end]; all of the energy (import, export) in Wh is in the first minute."""
    newest = await pool.fetchrow(
        "SELECT import_wh, export_wh FROM readings WHERE meter_id = $1 ORDER BY slot_at DESC LIMIT 1", meter_id
    )
    before = (1000, 1000) if newest is None else (newest["import_wh"], newest["export_wh"])
    after = (before[0] + energy[0], before[1] + energy[1])
    first = [(start_s, *before)] if newest is None else []
    await add_readings(pool, meter_id, first + [(start_s + s, *after) for s in range(60, length_s + 1, 60)])


class KnownFunds:
    """Implements ``hub.market.funds.Funds`` with values of the test, by default ample funds for everybody."""

    def __init__(self, funds: Mapping[UUID, ParticipantFunds] | None = None) -> None:
        self._funds = funds
        self.requests: list[tuple[frozenset[UUID], int, int]] = []

    async def funds(self, wallets: Mapping[UUID, str], start_s: int, end_s: int) -> Mapping[UUID, ParticipantFunds]:
        self.requests.append((frozenset(wallets), start_s, end_s))
        assert all(address == wallet(p) for p, address in wallets.items())
        return {p: AMPLE if self._funds is None else self._funds[p] for p in wallets}
