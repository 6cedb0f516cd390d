"""A campus of three meters whose days pass as fast as its hub can work them off.

Gateways seal true frames, the hub stores them, its rounds attest, clear, correct, settle and reconcile on an embedded
ledger, and its API shows the bills. Only the network between gateway and hub is left out.
"""

import contextlib
import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from edge.wire.frames import Frame
from edge.wire.quantities import ACTIVE_POWER
from hub.chain import setup
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.clock import at_s
from hub.ingest.heartbeats.repository import save_heartbeat
from hub.ingest.service import Incoming, release_waiting, store_batch
from hub.postgres.db import Pool
from hub.postgres.lease import acquire
from hub.postgres.rounds import Round
from hub.settings import Settings
from hub.worker.registry import rounds
from support.rows.gateways import SealingGateway, declaration, reading
from support.rows.site_rows import add_participant, add_rates
from support.settlement.campus import RATES, trader_of, wallet_of
from support.stepped.clock import SteppedClock, step_database
from support.stepped.ledger import stepped_ledger

START_S = 1_780_272_000
"""2026-06-01T00:00:00Z."""
HOUR_S, DAY_S, PERIOD_S = 3600, 86_400, 300
"""An interval is an hour long, and meters are read every five minutes."""
ROOF, FLAT, HOUSE = (UUID(int=n) for n in (1, 2, 3))
METERS = {"METER_001": ROOF, "METER_002": FLAT, "METER_003": HOUSE}


def powers_w(slot_s: int) -> tuple[int, int, int]:
    """Returns what the roof, the flat and the house take (> 0) or give at a time, in W."""
    day = math.sin(math.pi * (slot_s % DAY_S - 5 * HOUR_S) / (15 * HOUR_S))
    sun = max(0, round(6000 * day)) if 5 * HOUR_S < slot_s % DAY_S < 20 * HOUR_S else 0
    swing = round(700 * (1 + math.sin(slot_s / 5000)))
    return -sun * (80 + slot_s // DAY_S % 20) // 100, 400 + swing, 600 + swing // 2 - sun // 2


@dataclass
class SteppedGateway:
    """Reads the three meters, and keeps the frames that the hub has not taken."""

    gateway: SealingGateway = field(default_factory=lambda: SealingGateway("gw-north", tuple(METERS)))
    waiting: list[Frame] = field(default_factory=list)
    joules: list[list[int]] = field(default_factory=lambda: [[0, 0] for _ in METERS])
    slot_s: int = START_S - HOUR_S
    """The next slot to read, in s since 1970."""
    registers: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """Import and export in Wh by meter index and slot: what the meters counted."""

    def energy_wh(self, index: int, start_s: int) -> tuple[int, int]:
        """Returns what a meter counted in the interval that starts at ``start_s``: import and export."""
        before, after = self.registers[index, start_s], self.registers[index, start_s + HOUR_S]
        return after[0] - before[0], after[1] - before[1]

    def read_until(self, end_s: int) -> None:
        """Reads every slot up to ``end_s`` and seals a frame an hour; times in s since 1970."""
        while self.slot_s <= end_s:
            slots = range(self.slot_s, min(end_s, self.slot_s + HOUR_S - PERIOD_S) + 1, PERIOD_S)
            records = [self._reading(index, slot_s) for slot_s in slots for index in range(len(METERS))]
            self.waiting.append(self.gateway.seal(records))
            self.slot_s = slots[-1] + PERIOD_S

    def _reading(self, index: int, slot_s: int) -> Any:
        imported, exported = (10_000_000 + joules // 3600 for joules in self.joules[index])
        self.registers[index, slot_s] = imported, exported
        power_w = powers_w(slot_s)[index]
        self.joules[index][power_w < 0] += abs(power_w) * PERIOD_S
        return reading(
            index, 0, sequence=slot_s // PERIOD_S, slot_s=slot_s, import_wh=imported, export_wh=exported,
            quantities=((ACTIVE_POWER, power_w, 0),),
        )  # fmt: skip


@dataclass
class SteppedCampus:
    """The hub and its gateway. ``covered`` says since when the hub takes frames in, in s since 1970."""

    pool: Pool
    clock: SteppedClock
    chain: ChainClient
    settings: Settings
    rounds: Sequence[Round]
    gateway: SteppedGateway = field(default_factory=SteppedGateway)

    async def step_to(self, seconds: int, *, hub: bool, network: bool) -> None:
        """Lets time pass up to ``seconds`` (since 1970): the meters are read, and whoever is there does its work.

        It is later already when the hub has worked for longer than that.
        """
        began_s = self.clock.now_ms() // 1000
        seconds = max(seconds, began_s + 1)
        self.gateway.read_until(seconds - 60)
        await self.clock.step_to(seconds, self.pool)
        if hub:
            await self._cover(began_s)
        if hub and network:
            await self.deliver()
        if hub:
            await self.work()

    async def deliver_declarations(self) -> None:
        """The gateway says which meters it reads."""
        gateway = self.gateway.gateway
        declared = [declaration(index, meter_id, serial=meter_id) for index, meter_id in enumerate(METERS)]
        self.gateway.waiting.insert(0, gateway.seal(declared))
        await self.deliver()

    async def deliver(self, frames: int | None = None) -> int:
        """Lets the hub store the oldest waiting frames, by default all; returns how many still wait."""
        sent = self.gateway.waiting[:frames]
        del self.gateway.waiting[: len(sent)]
        now_ms = self.clock.now_ms()
        subject = f"pw.frame.{self.gateway.gateway.gateway_id}"
        outcome = await store_batch(
            self.pool, self.clock, [Incoming(subject, frame.encode(), now_ms, now_ms) for frame in sent]
        )
        assert not outcome.refused, "the hub takes every frame"
        await release_waiting(self.pool)
        waiting = len(self.gateway.waiting)
        complete_until_s = 0 if waiting else self.gateway.slot_s - PERIOD_S
        heartbeat = {
            "complete_until_s": complete_until_s, "sent_at_ms": now_ms, "time_quality": "S", "troubles": {}
        }  # fmt: skip
        async with self.pool.acquire() as connection:
            await save_heartbeat(connection, self.gateway.gateway.gateway_id, now_ms, heartbeat)
        return waiting

    async def work(self) -> None:
        """Runs the worker's rounds until none of them changes anything any more."""
        before = None
        while before != (before := await self._progress()):
            for each in self.rounds:
                async with self.pool.acquire() as connection:
                    lease = await acquire(connection, each.name, "stepped", seconds=3600)
                assert lease is not None
                while await each.run(lease):
                    pass

    async def _progress(self) -> list[Any]:
        return [
            *await self.pool.fetch("SELECT state, count(*) FROM intervals GROUP BY state ORDER BY state"),
            await self.pool.fetchrow("SELECT count(*), count(final_at) FROM attestations"),
            await self.pool.fetchval("SELECT count(*) FROM interval_marks"),
        ]

    async def _cover(self, since_s: int) -> None:
        """The hub took in what came since ``since_s``."""
        await self.pool.execute(
            "INSERT INTO ingest_coverage VALUES ('stepped', $1, $2) ON CONFLICT (holder, since_at) "
            "DO UPDATE SET seen_at = excluded.seen_at",
            at_s(since_s), at_s(self.clock.now_ms() // 1000),
        )  # fmt: skip


@contextlib.asynccontextmanager
async def stepped_campus(pool: Pool, folder: Path) -> AsyncIterator[SteppedCampus]:
    """A campus that is founded an hour before ``START_S``, in an empty database."""
    clock = SteppedClock.at(START_S - HOUR_S)
    await step_database(pool)
    await clock.tell(pool)
    settings = Settings(
        state_dir=folder, database_url=SecretStr("postgresql://unused"), interval_s=HOUR_S, poll_period_s=PERIOD_S,
        site_latitude=47.4, site_longitude=8.5, demo=True,
    )  # fmt: skip
    keys = Bootstrap.load_or_create(settings.keys_dir)
    async with stepped_ledger(folder / "ledger", keys, clock) as url, ChainClient(url) as chain:
        await setup.ensure_genesis(chain, keys, rates=RATES, interval_s=HOUR_S)
        await setup.ensure_traders(
            chain, keys, [trader_of(wallet_of(person), START_S + 60 * DAY_S) for person in METERS.values()]
        )
        await add_rates(pool)
        campus = SteppedCampus(pool, clock, chain, settings, rounds(settings, pool, clock, chain))
        await _add_meters(pool, campus.gateway.gateway)
        yield campus


async def _add_meters(pool: Pool, gateway: SealingGateway) -> None:
    await gateway.register(pool, meters=False)
    await pool.execute("UPDATE gateway_keys SET valid_from = $1", at_s(START_S - DAY_S))
    for meter_id, owner in METERS.items():
        await add_participant(pool, owner)
        await pool.execute(
            "INSERT INTO meters (meter_id, gateway_id, participant_id, kind, rated_power_w, serial, building, "
            "expected_from) VALUES ($1, 'gw-north', $2, 'bidirectional', 20000, $1, 'North', $3)",
            meter_id, owner, at_s(START_S),
        )  # fmt: skip
