"""Puts the agent together (meters, journal, uplink, heartbeat) and runs it until told to stop."""

import asyncio
import contextlib
import fcntl
import logging
import os
import secrets
import signal
from asyncio import Future
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from edge import metrics
from edge.book import Book
from edge.clock import Clock, SystemClock, TimeKeeper, kernel_boot_id
from edge.errors import ConfigError, StorageError, TryAgainError
from edge.fleet import Fleet, build_fleet
from edge.heartbeat import Heartbeat, agent_version
from edge.identity import Identity
from edge.journal import Journal, Limits
from edge.keystore import load_frame_key, load_nats_key
from edge.ledger import FIRST_INDEX, Batch, Ledger, Signer
from edge.meters.mqtt import Broker, Subscriber
from edge.meters.readings import MeterReading
from edge.nats_link import Link
from edge.notify import notify
from edge.poller import Poller
from edge.settings import Settings
from edge.status import serve_status
from edge.uplink import Uplink
from edge.wire.kinds import Record, Start, Stop
from edge.wire.records import encode_record

LEDGER_FILE, LOCK_FILE = "ledger.sqlite", "lock"
DRAIN_S = 2.0
RECENT_MS = 3_600_000
"""Publications that come again after a restart are known for so long."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Secrets:
    """Who the agent is."""

    frame_key: SigningKey
    identity: Identity
    link: Link

    @classmethod
    def load(cls, settings: Settings) -> "Secrets":
        """Reads keys and identity.

        Raises:
            NotEnrolledError, KeyFileError: as they say.
        """
        identity = Identity.load(settings.state_dir, settings.gateway_id)
        keys = settings.state_dir / "keys"
        return cls(load_frame_key(keys), identity, Link(identity, load_nats_key(keys), settings.hub.nats_url))


def run_agent(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT.

    Raises:
        EdgeError: something keeps it from starting; the message says what to do.
    """
    fleet = build_fleet(settings)
    own = Secrets.load(settings)
    with _alone(settings.state_dir):
        asyncio.run(Agent(settings, fleet, own, SystemClock()).run())


class Agent:
    """One boot of the agent."""

    def __init__(self, settings: Settings, fleet: Fleet, own: Secrets, clock: Clock) -> None:
        self._settings, self._fleet, self._clock = settings, fleet, clock
        self._kernel_boot = kernel_boot_id()
        self._times = TimeKeeper(clock, self._kernel_boot)
        signer = Signer(settings.gateway_id, secrets.token_bytes(16), own.frame_key)
        ledger = Ledger(settings.state_dir / LEDGER_FILE, signer, clock)
        limits = Limits(settings.seal_interval_s, settings.keep_days * 86_400_000, settings.max_ledger_mb * 2**20)
        self._journal = Journal(ledger, limits)
        self._beat = Heartbeat(
            signer, self._journal, clock, self._times, settings.heartbeat_s, len(settings.meter), self._lost
        )
        self._uplink = Uplink(
            settings.gateway_id,
            bytes.fromhex(own.identity.receipt_public_key),
            own.link,
            self._journal,
            settings.backlog_frames_per_s,
            self._beat.on_connect,
        )
        self._journal.on_frames = self._uplink.offer
        self._signer = signer
        self._book = Book(self._times)
        self._poller = Poller(fleet.modbus, settings.poll_period_s, clock, self._accept)
        self._subscriber: Subscriber | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Starts everything, waits for the signal, stops in order.

        Raises:
            ConfigError: a port is taken, or a file of the broker can not be read.
        """
        self._catch_signals()
        self._open_broker()
        self._open_metrics()
        await self._open_ledger()
        async with serve_status(self._settings.state_dir, self.status), self._tasks():
            log.info("ready", extra={"gateway_id": self._settings.gateway_id, "meters": len(self._settings.meter)})
            notify("READY=1")
            await self._stopping.wait()
            notify("STOPPING=1")

    async def status(self) -> dict[str, Any]:
        """What `peerwatt-edge status` shows."""
        trouble = self._journal.trouble
        try:
            beat = None if trouble else await self._beat.beat()
        except StorageError as error:
            beat, trouble = None, str(error)
        if beat is None:
            return {
                "running": True,
                "gateway_id": self._settings.gateway_id,
                "meters_lost": self._lost(),
                "memory_queue": self._journal.queued_records,
                "dropped_records": self._journal.dropped,
                "hub": self._uplink.trouble or "connected",
                "storage": trouble,
            }
        return {
            "running": True,
            "gateway_id": beat.gateway_id,
            "version": beat.version,
            "boot_id": beat.boot_id.hex(),
            "last_sequence": beat.last_sequence,
            "meters": beat.meters,
            "meters_lost": list(beat.meters_lost),
            "outbox_frames": beat.outbox_frames,
            "outbox_age_s": beat.outbox_age_s,
            "time_quality": beat.time_quality,
            "memory_queue": beat.memory_queue,
            "disk_free_bytes": beat.disk_free_bytes,
            "hub": self._uplink.trouble or "connected",
            "storage": self._journal.trouble or "ok",
        }

    def _lost(self) -> list[str]:
        return self._poller.lost + (self._subscriber.lost if self._subscriber else [])

    def _accept(self, reading: MeterReading) -> None:
        """The poller's way: it does not wait for the disk."""
        self._enter(reading)
        metrics.READINGS.labels("modbus").inc()

    def _enter(self, reading: MeterReading) -> Future[None]:
        kind = self._fleet.kinds[reading.meter_id]
        batch = self._book.enter(reading, kind.profile, kind.profile_hash, kind.max_power_w)
        return self._journal.enter(batch)

    def _note(self, record: Record) -> None:
        self._journal.enter(Batch(records=[encode_record(record)]))

    def _catch_signals(self) -> None:
        def stop() -> None:
            if self._stopping.is_set():
                os._exit(130)
            self._stopping.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop)

    def _open_broker(self) -> None:
        if self._settings.mqtt is not None and self._fleet.mqtt:
            self._subscriber = Subscriber(
                Broker.of(self._settings.mqtt),
                f"peerwatt-{self._settings.gateway_id}",
                self._fleet.mqtt,
                self._settings.poll_period_s,
                self._clock,
                self._enter,
                self._book.is_recorded,
            )

    def _open_metrics(self) -> None:
        if self._settings.metrics_port:
            try:
                metrics.serve(self._settings.metrics_port)
            except OSError as error:
                raise ConfigError(
                    f"Port {self._settings.metrics_port} is taken ({error.strerror}): choose another metrics_port"
                ) from error

    async def _open_ledger(self) -> None:
        """Reads what is known; a disk that refuses keeps nobody from polling."""
        try:
            await self._journal.call(self._journal.ledger.open)
            await self._journal.call(self._recall)
        except StorageError as error:
            log.error("storage refuses: readings wait in memory", extra={"reason": str(error)})  # noqa: TRY400
        self._note(
            Start(
                max(0, self._clock.now_ms()),
                self._times.quality,
                self._kernel_boot,
                agent_version(),
                self._settings.config_hash,
            )
        )

    def _recall(self) -> None:
        with self._journal.ledger.reading() as repository:
            first = int.from_bytes(repository.meta(FIRST_INDEX) or b"\0", "big")
            self._book.recall(repository.meters(), repository.counters(), first)
            self._book.remember(repository.recent_bodies(self._clock.now_ms() - RECENT_MS))

    @contextlib.asynccontextmanager
    async def _tasks(self) -> AsyncIterator[None]:
        """Meters stop first, then what is left is stored, sealed and, when the hub is there, sent."""
        journal = asyncio.create_task(self._journal.run(), name="journal")
        uplink = asyncio.create_task(self._uplink.run(), name="uplink")
        sources = [self._poller.run(), self._beat.run(), self._watch_clock()]
        if self._subscriber is not None:
            sources.append(self._subscriber.run())
        inputs = [asyncio.create_task(source) for source in sources]
        for task in (journal, uplink, *inputs):
            task.add_done_callback(self._on_end)
        try:
            yield
        finally:
            await _cancel(inputs)
            self._note(Stop(max(0, self._clock.now_ms()), "stopped in good order"))
            await _cancel([journal])
            await self._journal.store_rest()
            await self._uplink.drain(DRAIN_S)
            await _cancel([uplink])
            await self._journal.close()

    def _on_end(self, task: asyncio.Task[None]) -> None:
        """A task that ends by itself is a fault of ours: say it and let systemd start us again."""
        if not task.cancelled() and not self._stopping.is_set():
            log.critical("internal error, the agent ends", exc_info=task.exception())
            self._stopping.set()

    async def _watch_clock(self) -> None:
        while True:
            await asyncio.sleep(1)
            if step := self._times.step():
                log.warning("clock step", extra={"offset_ms": step.offset_ms})
                self._note(step)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def _alone(state_dir: Path) -> Iterator[None]:
    """Keeps a second agent out of the folder.

    Raises:
        TryAgainError: one runs already.
        ConfigError: the folder can not be used.
    """
    try:
        lock = os.open(state_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        # A full or read-only disk must not keep us from polling, a missing folder should
        if state_dir.is_dir():
            yield
            return
        raise ConfigError(
            f"state_dir {state_dir} can not be used ({error.strerror}): run `peerwatt-edge init`"
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TryAgainError(
                f"Another agent runs with {state_dir}: stop it first, or use another state_dir"
            ) from error
        yield
    finally:
        os.close(lock)
