"""From publish to durable: gateways, NATS, one or more copies of ingest and PostgreSQL, each a process of its own.

The clock runs from the first publish to the commit of the last row, with the publisher on the same cores. A commit's
time is PostgreSQL's own, taken just before its flush; the receipts, sent after the flush, bound it from above.
"""

import contextlib
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgpack
import nkeys

from bench.common.figures import Figure, percentile, tidy
from bench.common.load import Load, known_gateways, register, sealed
from bench.common.processes import child, processor_s
from bench.common.servers import TEMPLATE, checkpoint, durable_postgres, fresh_pool
from hub import keys
from hub.clock import SystemClock
from hub.devices import nats_jwt
from hub.devices.service import RECEIPT_KEY
from hub.ingest import bus
from hub.postgres import db
from hub.postgres.db import Pool
from support.servers.nats import HubNats, run_hub_nats
from support.waiting import eventually

RUN_LIMIT_S = 120
STREAM_BYTES = 128 * 1024**2
COMMITS = """
SELECT gateway_id, sequence, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS committed_at FROM frames
"""


@dataclass(frozen=True)
class Shape:
    """One kind of load."""

    readings: int
    frames: int
    paced_s: float


@dataclass(frozen=True)
class Crew:
    """Copies of ingest, and where their limits differ from the worker's."""

    copies: int = 1
    limits: dict[str, int] = field(default_factory=dict)
    profiles: Path | None = None


@dataclass(frozen=True)
class Run:
    """What one run gave, wall times in s."""

    began_at: float
    committed: dict[tuple[str, int], float]
    notes: Sequence[tuple[int, int, float, float]]
    processor_s: dict[str, float] = field(default_factory=dict)
    """By kind of process."""

    @property
    def seconds(self) -> float:
        return max(self.committed.values()) - self.began_at


@dataclass(frozen=True)
class Bench:
    """The servers, and where runs leave their files."""

    folder: Path
    postgres_url: str
    nats: HubNats
    crew: Crew
    creds: dict[str, str]

    async def run(self, load: Load, frames: int, *, rate: float | None = None, profile: str | None = None) -> Run:
        """Publishes while ingest runs; a rate is in frames/s."""
        async with self._fresh(load, frames) as (url, pool), self._publisher(receipts=True, rate=rate) as publisher:
            async with self._ingest(url, profile):
                before = processor_s()
                await publisher.say("go")
                await publisher.hear(RUN_LIMIT_S + 10)
                spent = {name: total - before.get(name, 0) for name, total in processor_s().items()}
            notes = self._notes()
            return Run(min(row[2] for row in notes), await self._committed(pool, load, frames), notes, spent)

    async def drain(self, load: Load, frames: int) -> Run:
        """Publishes everything first, then lets ingest empty the stream."""
        async with self._fresh(load, frames) as (url, pool):
            async with self._publisher(receipts=False, rate=None) as publisher:
                await publisher.say("go")
                await publisher.hear(RUN_LIMIT_S + 10)
            async with self._ingest(url, None) as ready_at, self.nats.as_hub() as hub:
                js = hub.jetstream()

                async def empty() -> bool:
                    return (await js.stream_info(bus.STREAM)).state.messages == 0

                await eventually(empty, seconds=RUN_LIMIT_S, what="an empty stream")
            return Run(ready_at, await self._committed(pool, load, frames), self._notes())

    @contextlib.asynccontextmanager
    async def _fresh(self, load: Load, frames: int) -> AsyncIterator[tuple[str, Pool]]:
        """A new stream, which has seen no message id yet, and a new database."""
        load.save(self.folder / "frames", frames)
        async with self.nats.as_hub() as hub:
            await hub.jetstream().delete_stream(bus.STREAM)
            await bus.ensure_stream(hub.jetstream(), max_bytes=STREAM_BYTES)
        async with fresh_pool(self.postgres_url) as (url, pool):
            await checkpoint(self.postgres_url)
            yield url, pool

    @contextlib.asynccontextmanager
    async def _publisher(self, *, receipts: bool, rate: float | None) -> AsyncIterator[Any]:
        key = bytes(keys.load_or_create(self.folder / "keys" / RECEIPT_KEY).pubkey()).hex() if receipts else ""
        job = {
            "nats_url": self.nats.url, "ca_file": str(self.nats.ca_file), "creds": self.creds, "rate": rate,
            "frames": str(self.folder / "frames"), "notes": str(self.folder / "notes"), "receipt_key": key,
            "seconds": RUN_LIMIT_S,
        }  # fmt: skip
        async with child("bench.common.publisher", job, self.folder / "publisher.log") as publisher:
            await publisher.hear(30)
            yield publisher

    @contextlib.asynccontextmanager
    async def _ingest(self, url: str, profile: str | None) -> AsyncIterator[float]:
        """All copies of ingest; yields when the last was ready."""
        async with contextlib.AsyncExitStack() as stack:
            ready_at = 0.0
            for _ in range(self.crew.copies):
                job = {
                    "state": str(self.folder), "nats_url": self.nats.url, "ca_file": str(self.nats.ca_file),
                    "creds_file": str(self.nats.identity.creds_file), "database_url": url,
                    "limits": self.crew.limits,
                    "profile": str(self.crew.profiles / f"{profile}.txt") if self.crew.profiles and profile else None,
                }  # fmt: skip
                copy = await stack.enter_async_context(
                    child("bench.common.ingest_copy", job, self.folder / "ingest.log")
                )
                ready_at = float((await copy.hear(30))["ready_at"])
            yield ready_at

    def _notes(self) -> list[tuple[int, int, float, float]]:
        return [tuple(row) for row in msgpack.unpackb((self.folder / "notes").read_bytes())]

    async def _committed(self, pool: Pool, load: Load, frames: int) -> dict[tuple[str, int], float]:
        """Every frame's commit; all of them and all of their readings must be there."""
        stored = await pool.fetchval("SELECT count(*) FROM readings")
        assert stored == frames * load.readings, f"{stored} readings stored of {frames * load.readings}"
        return {(row["gateway_id"], row["sequence"]): row["committed_at"] for row in await pool.fetch(COMMITS)}


@contextlib.asynccontextmanager
async def ready(folder: Path, gateways: Sequence[Any], crew: Crew) -> AsyncIterator[Bench]:
    """Both servers, with every gateway known to both."""
    (folder / "keys").mkdir(mode=0o700)
    async with durable_postgres(folder / "postgres") as url, run_hub_nats(folder / "nats") as nats:
        pool = await db.create_pool(f"{url.rsplit('/', 1)[0]}/{TEMPLATE}")
        await register(pool, gateways)
        await pool.close()
        creds = {one.gateway_id: str(_credentials(nats, one.gateway_id)) for one in gateways}
        yield Bench(folder, url, nats, crew, creds)


def _credentials(nats: HubNats, gateway_id: str) -> Path:
    user = nats_jwt.generate(nkeys.PREFIX_BYTE_USER, secrets.token_bytes(32))
    jwt = nats.issuer.issue(gateway_id, nats_jwt.public(user), SystemClock().now_ms() // 1000)
    file = nats.folder / f"{gateway_id}.creds"
    file.touch(mode=0o600)
    file.write_text(nats_jwt.credentials(jwt, bytes(user.seed).decode()))
    return file


async def measure(folder: Path, shapes: Sequence[Shape], *, runs: int, crew: Crew) -> list[Figure]:
    """Throughput, drain rate and waiting times of each shape."""
    gateways = known_gateways(4)
    async with ready(folder, gateways, crew) as bench:
        figures: list[Figure] = []
        for shape in shapes:
            load = sealed(gateways, shape.frames, shape.readings)
            figures += await _shape(bench, load, shape, runs)
        return figures


async def _shape(bench: Bench, load: Load, shape: Shape, runs: int) -> list[Figure]:
    count, suffix = shape.frames * shape.readings, f"{shape.readings}_a_frame"
    begun = time.monotonic()
    flat = [await bench.run(load, shape.frames) for _ in range(runs)]
    flat_s, begun = time.monotonic() - begun, time.monotonic()
    drained = [await bench.drain(load, shape.frames) for _ in range(runs)]
    drained_s, begun = time.monotonic() - begun, time.monotonic()
    durable = Figure(
        f"durable_{suffix}", "readings/s", tuple(count / run.seconds for run in flat), count, flat_s,
        "first publish to last commit, publisher on the same cores",
    )  # fmt: skip
    rate = durable.median / shape.readings / 2
    frames = min(shape.frames, max(100, int(rate * shape.paced_s)))
    paced = [await bench.run(load, frames, rate=rate) for _ in range(runs)]
    paced_s = time.monotonic() - begun
    if bench.crew.profiles:
        await bench.run(load, shape.frames, profile=f"ingest_{suffix}")
    return [
        durable,
        Figure(
            f"drain_{suffix}", "readings/s", tuple(count / run.seconds for run in drained), count, drained_s,
            "stream filled before; ingest ready to last commit",
        ),
        _effort(flat, count, suffix, flat_s),
        *_waits(paced, load, suffix, rate, paced_s),
    ]  # fmt: skip


def _effort(flat: Sequence[Run], count: int, suffix: str, seconds: float) -> Figure:
    """What the load cost in processor time, which other people's work on the machine changes little."""
    spent = tuple(1e6 * sum(run.processor_s.values()) / count for run in flat)
    names = sorted({name for run in flat for name in run.processor_s})
    parts = {name: statistics.median(1e6 * run.processor_s.get(name, 0) / count for run in flat) for name in names}
    what = ", ".join(f"{name} {tidy(value):g}" for name, value in parts.items() if value)
    return Figure(f"processor_{suffix}", "us/reading", spent, count, seconds, f"processor time by process: {what}")


def _waits(paced: Sequence[Run], load: Load, suffix: str, rate: float, seconds: float) -> list[Figure]:
    stored, receipted = [], []
    for run in paced:
        names = [gateway.gateway_id for gateway in load.gateways]
        stored.append([run.committed[names[at], sequence] - due for at, sequence, due, _ in run.notes])
        receipted.append([heard - due for *_, due, heard in run.notes])
    n, load_text = len(paced[0].notes), f"at half of that load ({rate:.0f} frames/s)"
    ms = [
        (f"stored_p50_{suffix}", stored, 50, "frame due to commit"),
        (f"stored_p99_{suffix}", stored, 99, "frame due to commit"),
        (f"receipt_p99_{suffix}", receipted, 99, "frame due to signed receipt back at the gateway"),
    ]
    return [
        Figure(name, "ms", tuple(1000 * percentile(run, p) for run in runs), n, seconds, f"{what}, {load_text}")
        for name, runs, p, what in ms
    ]
