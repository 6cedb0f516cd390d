"""Measures ingest from publish to commit: publisher, NATS, copies of ingest and PostgreSQL are processes of their own.

The time is from the first publish to the commit of the last row, with the publisher on the same cores. PostgreSQL takes
the time of a commit just before its flush; the receipts, sent after the flush, give an upper bound.
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

from bench.common.figures import Figure, percentile, ratio, tidy
from bench.common.load import Load, make_gateways, make_load, register
from bench.common.plain import store_plainly
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
class LoadShape:
    """One kind of load: readings in a frame, frames in all, and how long the paced run lasts."""

    readings: int
    frames: int
    paced_s: float


@dataclass(frozen=True)
class IngestSetup:
    """The number of copies of ingest, and those of their limits that differ from the worker's."""

    copies: int = 1
    limits: dict[str, int] = field(default_factory=dict)
    profiles: Path | None = None


@dataclass(frozen=True)
class Run:
    """The result of one run; times in s since 1970."""

    began_at: float
    committed: dict[tuple[str, int], float]
    """By (gateway id, sequence) the time of the frame's commit."""
    published: Sequence[tuple[int, int, float, float]]
    """(index of the gateway, sequence, time sent or due, time of the receipt) of every frame."""
    processor_s: dict[str, float] = field(default_factory=dict)
    """By kind of process."""

    @property
    def seconds(self) -> float:
        return max(self.committed.values()) - self.began_at


@dataclass(frozen=True)
class Bench:
    """The servers of a benchmark, and the folder of its files."""

    folder: Path
    postgres_url: str
    nats: HubNats
    setup: IngestSetup
    creds: dict[str, str]

    async def run(self, load: Load, frames: int, *, rate: float | None = None, profile: str | None = None) -> Run:
        """Publishes while ingest runs; a rate is in frames/s."""
        async with self._fresh(load, frames) as (url, pool), self._publisher(receipts=True, rate=rate) as publisher:
            async with self._ingest(url, profile):
                before = processor_s()
                await publisher.send_line("go")
                await publisher.read_answer(RUN_LIMIT_S + 10)
                spent = {name: total - before.get(name, 0) for name, total in processor_s().items()}
            published = self._published()
            began_at = min(row[2] for row in published)
            return Run(began_at, await self._committed(pool, load, frames), published, spent)

    async def drain(self, load: Load, frames: int) -> Run:
        """Publishes everything first, then lets ingest empty the stream."""
        async with self._fresh(load, frames) as (url, pool):
            async with self._publisher(receipts=False, rate=None) as publisher:
                await publisher.send_line("go")
                await publisher.read_answer(RUN_LIMIT_S + 10)
            async with self._ingest(url, None) as ready_at, self.nats.as_hub() as hub:
                js = hub.jetstream()

                async def empty() -> bool:
                    return (await js.stream_info(bus.STREAM)).state.messages == 0

                await eventually(empty, seconds=RUN_LIMIT_S, what="an empty stream")
            return Run(ready_at, await self._committed(pool, load, frames), self._published())

    async def plain(self, load: Load, frames: int) -> float:
        """Stores the same frames without the system around it; returns the seconds."""
        async with fresh_pool(self.postgres_url) as (_, pool):
            await checkpoint(self.postgres_url)
            return await store_plainly(pool, load, frames)

    @contextlib.asynccontextmanager
    async def _fresh(self, load: Load, frames: int) -> AsyncIterator[tuple[str, Pool]]:
        """Makes a new stream, in which no message id is known, and a new database."""
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
            "frames": str(self.folder / "frames"), "times": str(self.folder / "times"), "receipt_key": key,
            "seconds": RUN_LIMIT_S,
        }  # fmt: skip
        async with child("bench.common.publisher", job, self.folder / "publisher.log") as publisher:
            await publisher.read_answer(30)
            yield publisher

    @contextlib.asynccontextmanager
    async def _ingest(self, url: str, profile: str | None) -> AsyncIterator[float]:
        """Runs all copies of ingest; yields the time at which the last was ready."""
        async with contextlib.AsyncExitStack() as stack:
            ready_at = 0.0
            profiles = self.setup.profiles
            for _ in range(self.setup.copies):
                job = {
                    "state": str(self.folder), "nats_url": self.nats.url, "ca_file": str(self.nats.ca_file),
                    "creds_file": str(self.nats.identity.creds_file), "database_url": url,
                    "limits": self.setup.limits,
                    "profile": str(profiles / f"{profile}.txt") if profiles and profile else None,
                }  # fmt: skip
                copy = await stack.enter_async_context(
                    child("bench.common.ingest_copy", job, self.folder / "ingest.log")
                )
                ready_at = float((await copy.read_answer(30))["ready_at"])
            yield ready_at

    def _published(self) -> list[tuple[int, int, float, float]]:
        return [tuple(row) for row in msgpack.unpackb((self.folder / "times").read_bytes())]

    async def _committed(self, pool: Pool, load: Load, frames: int) -> dict[tuple[str, int], float]:
        """Returns the time of every frame's commit, after checking that every reading is stored."""
        stored = await pool.fetchval("SELECT count(*) FROM readings")
        assert stored == frames * load.readings, f"{stored} readings stored of {frames * load.readings}"
        return {(row["gateway_id"], row["sequence"]): row["committed_at"] for row in await pool.fetch(COMMITS)}


@contextlib.asynccontextmanager
async def start_servers(folder: Path, gateways: Sequence[Any], setup: IngestSetup) -> AsyncIterator[Bench]:
    """Starts PostgreSQL and NATS, and registers every gateway with both."""
    (folder / "keys").mkdir(mode=0o700)
    async with durable_postgres(folder / "postgres") as url, run_hub_nats(folder / "nats") as nats:
        pool = await db.create_pool(f"{url.rsplit('/', 1)[0]}/{TEMPLATE}")
        await register(pool, gateways)
        await pool.close()
        creds = {gateway.gateway_id: str(_credentials(nats, gateway.gateway_id)) for gateway in gateways}
        yield Bench(folder, url, nats, setup, creds)


def _credentials(nats: HubNats, gateway_id: str) -> Path:
    user = nats_jwt.generate(nkeys.PREFIX_BYTE_USER, secrets.token_bytes(32))
    jwt = nats.issuer.issue(gateway_id, nats_jwt.public(user), SystemClock().now_ms() // 1000)
    file = nats.folder / f"{gateway_id}.creds"
    file.touch(mode=0o600)
    file.write_text(nats_jwt.credentials(jwt, bytes(user.seed).decode()))
    return file


async def measure(folder: Path, shapes: Sequence[LoadShape], *, runs: int, setup: IngestSetup) -> list[Figure]:
    """Measures throughput, drain rate and waiting times of each shape of load."""
    gateways = make_gateways(4)
    async with start_servers(folder, gateways, setup) as bench:
        figures: list[Figure] = []
        for shape in shapes:
            load = make_load(gateways, shape.frames, shape.readings)
            figures += await _measure_shape(bench, load, shape, runs)
        return figures


async def _measure_shape(bench: Bench, load: Load, shape: LoadShape, runs: int) -> list[Figure]:
    count, suffix = shape.frames * shape.readings, f"{shape.readings}_a_frame"
    started = time.monotonic()
    unpaced = [await bench.run(load, shape.frames) for _ in range(runs)]
    unpaced_s, started = time.monotonic() - started, time.monotonic()
    drained = [await bench.drain(load, shape.frames) for _ in range(runs)]
    drained_s, started = time.monotonic() - started, time.monotonic()
    durable = Figure(
        f"durable_{suffix}", "readings/s", tuple(count / run.seconds for run in unpaced), count, unpaced_s,
        "first publish to last commit, publisher on the same cores",
    )  # fmt: skip
    rate = durable.median / shape.readings / 2
    frames = min(shape.frames, max(100, int(rate * shape.paced_s)))
    paced = [await bench.run(load, frames, rate=rate) for _ in range(runs)]
    paced_s, started = time.monotonic() - started, time.monotonic()
    plain = Figure(
        f"plain_{suffix}", "readings/s",
        tuple([count / await bench.plain(load, shape.frames) for _ in range(runs)]), count,
        time.monotonic() - started, "decode, verify, COPY in one process, no stream, no index, nothing looked up",
    )  # fmt: skip
    if bench.setup.profiles:
        await bench.run(load, shape.frames, profile=f"ingest_{suffix}")
    return [
        durable,
        Figure(
            f"drain_{suffix}", "readings/s", tuple(count / run.seconds for run in drained), count, drained_s,
            "stream filled before; ingest ready to last commit",
        ),
        plain,
        ratio(f"durable_{suffix}_to_plain", plain.median, durable),
        _processor_figure(unpaced, count, suffix, unpaced_s),
        *_wait_figures(paced, load, suffix, rate, paced_s),
    ]  # fmt: skip


def _processor_figure(unpaced: Sequence[Run], count: int, suffix: str, seconds: float) -> Figure:
    """Returns the processor time per reading, which other work on the machine changes little."""
    spent = tuple(1e6 * sum(run.processor_s.values()) / count for run in unpaced)
    names = sorted({name for run in unpaced for name in run.processor_s})
    parts = {name: statistics.median(1e6 * run.processor_s.get(name, 0) / count for run in unpaced) for name in names}
    what = ", ".join(f"{name} {tidy(value):g}" for name, value in parts.items() if value)
    return Figure(f"processor_{suffix}", "us/reading", spent, count, seconds, f"processor time by process: {what}")


def _wait_figures(paced: Sequence[Run], load: Load, suffix: str, rate: float, seconds: float) -> list[Figure]:
    stored, receipted = [], []
    for run in paced:
        gateway_ids = [gateway.gateway_id for gateway in load.gateways]
        stored.append([run.committed[gateway_ids[index], sequence] - due for index, sequence, due, _ in run.published])
        receipted.append([receipted_at - due for *_, due, receipted_at in run.published])
    n, load_text = len(paced[0].published), f"at half of that load ({rate:.0f} frames/s)"
    ms = [
        (f"stored_p50_{suffix}", stored, 50, "frame due to commit"),
        (f"stored_p99_{suffix}", stored, 99, "frame due to commit"),
        (f"receipt_p99_{suffix}", receipted, 99, "frame due to signed receipt back at the gateway"),
    ]
    return [
        Figure(name, "ms", tuple(1000 * percentile(run, p) for run in runs), n, seconds, f"{what}, {load_text}")
        for name, runs, p, what in ms
    ]
