"""Puts the agent together (meters, intake, ledger, uplink, heartbeat) and runs it until it is told to stop."""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
from collections.abc import AsyncIterator
from typing import Any

from edge.completeness import Completeness
from edge.errors import ConfigError, InternalError, StorageError
from edge.fleet import Fleet, build_fleet
from edge.intake import Intake
from edge.meters.mqtt import Broker, Subscriber
from edge.meters.readings import MeterReading
from edge.poller import Poller
from edge.record_builder import RecordBuilder
from edge.runtime import metrics
from edge.runtime.clock import Clock, SystemClock, TimeKeeper, kernel_boot_id
from edge.runtime.lock import exclusive_lock
from edge.runtime.notify import notify
from edge.runtime.status import describe, serve_status
from edge.runtime.version import agent_version
from edge.settings import Settings
from edge.store.batch import Batch
from edge.store.ledger import LEDGER_FILE, Ledger, Signer
from edge.store.ledger_writer import LedgerWriter, Limits
from edge.uplink.credentials import Credentials
from edge.uplink.heartbeat import HeartbeatSender
from edge.uplink.uplink import Uplink
from edge.wire.kinds import Record, Start, Stop
from edge.wire.records import encode_record

DRAIN_S = 2.0
"""How long the last frames may take to the hub at the end."""
LAST_WRITE_S = 3.0
"""How long the write that is under way at the end may take."""
CANCEL_ROUNDS, CANCEL_ROUND_S = 4, 0.5

log = logging.getLogger(__name__)


def run_agent(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT.

    Raises:
        ConfigError, NotEnrolledError, KeyFileError: it can not start; the message says what to do.
        TryAgainError: another agent runs in the folder.
        InternalError: a part of the agent ended by itself.
    """
    fleet = build_fleet(settings)
    credentials = Credentials.load(settings)
    with exclusive_lock(settings.state_dir):
        asyncio.run(Agent(settings, fleet, credentials, SystemClock()).run())


class Agent:
    """The agent from one start to its stop; every start draws a new boot id."""

    def __init__(self, settings: Settings, fleet: Fleet, credentials: Credentials, clock: Clock) -> None:
        self._settings, self._fleet, self._clock = settings, fleet, clock
        self._kernel_boot = kernel_boot_id()
        self._times = TimeKeeper(clock, self._kernel_boot)
        signer = Signer(settings.gateway_id, secrets.token_bytes(16), credentials.frame_key)
        ledger = Ledger(settings.state_dir / LEDGER_FILE, signer, clock)
        limits = Limits(
            seal_interval_s=settings.seal_interval_s,
            keep_ms=settings.keep_days * 86_400_000,
            max_bytes=settings.max_ledger_mb * 2**20,
        )
        self._writer = LedgerWriter(ledger, limits)
        self._heartbeat_sender = HeartbeatSender(
            signer,
            self._writer,
            clock,
            self._times,
            settings.heartbeat_s,
            len(settings.meter),
            self._lost_meters,
            self._troubles,
        )
        self._uplink = Uplink(
            settings.gateway_id,
            bytes.fromhex(credentials.identity.receipt_public_key),
            credentials.link,
            self._writer,
            settings.backlog_frames_per_s,
            self._heartbeat_sender.on_connect,
        )
        self._writer.on_frames = self._uplink.offer
        self._builder = RecordBuilder(self._times)
        self._writer.queue.on_dropped = self._builder.forget
        self._intake = Intake(self._builder, self._writer, fleet.kinds)
        self._poller = Poller(fleet.modbus, settings.poll_period_s, clock, self._accept_polled)
        self._completeness = Completeness(
            settings.interval_s, settings.poll_period_s, clock, self._writer, signer.boot_id,
            lambda: self._poller.done_s, lambda: self._intake.waiting, bool(fleet.mqtt), self._heartbeat_sender.look,
        )  # fmt: skip
        self._heartbeat_sender.complete_until_s = self._completeness.until_s
        self._writer.on_stored = self._heartbeat_sender.look
        self._subscriber: Subscriber | None = None
        self._stopping = asyncio.Event()
        self._failure: InternalError | None = None

    async def run(self) -> None:
        """Starts every part, waits for SIGTERM or SIGINT, and stops them in order.

        Raises:
            ConfigError: a port is taken, or a file of the broker can not be read.
            InternalError: a part of the agent ended by itself.
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
        if self._failure is not None:
            raise self._failure

    async def status(self) -> dict[str, Any]:
        """Returns what ``peerwatt-edge status`` shows; less of it while the ledger can not be read."""
        trouble = self._writer.trouble
        try:
            heartbeat = None if trouble else await self._heartbeat_sender.current()
        except StorageError as error:
            heartbeat, trouble = None, str(error)
        hub = self._uplink.trouble or "connected"
        if heartbeat is not None:
            return describe(heartbeat, hub, self._writer.trouble or "ok")
        return {
            "running": True,
            "gateway_id": self._settings.gateway_id,
            "meters_lost": self._lost_meters(),
            "troubles": self._troubles(),
            "memory_queue": self._writer.queued_records + self._intake.waiting,
            "dropped_records": self._writer.dropped,
            "hub": hub,
            "storage": trouble,
        }

    def _lost_meters(self) -> list[str]:
        return self._poller.lost + (self._subscriber.lost if self._subscriber else [])

    def _troubles(self) -> dict[str, str]:
        """Why meters are not recorded as good now, by meter id."""
        published = self._subscriber.refused if self._subscriber else {}
        return self._builder.troubles | self._poller.refused | published

    def _accept_polled(self, reading: MeterReading) -> None:
        """Accepts a reading of the poller, which does not wait for the disk."""
        self._accept(reading)
        metrics.READINGS.labels("modbus").inc()

    def _accept(self, reading: MeterReading) -> asyncio.Future[None]:
        """Accepts a reading, behind the record of a step of the clock that its time is by."""
        self._record_step()
        return self._intake.accept(reading)

    def _write(self, record: Record) -> None:
        self._writer.append(Batch(records=[encode_record(record)]))

    def _catch_signals(self) -> None:
        """Lets a first signal stop the agent in order, and a second one at once."""

        def stop() -> None:
            if self._stopping.is_set():
                os._exit(130)
            self._stopping.set()

        for signal_number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signal_number, stop)

    def _open_broker(self) -> None:
        mqtt = self._settings.mqtt
        if mqtt is not None and self._fleet.mqtt:
            self._subscriber = Subscriber(
                Broker.load(mqtt.url, mqtt.username, mqtt.password_file, mqtt.ca_file),
                f"peerwatt-{self._settings.gateway_id}",
                self._fleet.mqtt,
                self._settings.poll_period_s,
                self._clock,
                self._accept,
                self._builder.publications,
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
        """Opens the ledger and restores from it; where the disk refuses, polling begins all the same."""
        try:
            await self._writer.call(self._writer.ledger.open)
            await self._intake.restore()
        except StorageError as error:
            log.error("storage refuses: readings wait in memory", extra={"reason": str(error)})  # noqa: TRY400
        self._write(
            Start(
                max(0, self._clock.now_ms()),
                self._times.quality,
                self._kernel_boot,
                agent_version(),
                self._settings.config_hash,
            )
        )

    @contextlib.asynccontextmanager
    async def _tasks(self) -> AsyncIterator[None]:
        """Runs the parts; at the end meters stop first, then the rest is stored, sealed and, if possible, sent."""
        writer = asyncio.create_task(self._writer.run(), name="ledger writer")
        uplink = asyncio.create_task(self._uplink.run(), name="uplink")
        sources = [self._poller.run(), self._heartbeat_sender.run(), self._watch_clock(), self._intake.run()]
        sources.append(self._completeness.run())
        if self._subscriber is not None:
            sources.append(self._subscriber.run())
        inputs = [asyncio.create_task(source) for source in sources]
        for task in (writer, uplink, *inputs):
            task.add_done_callback(self._on_end)
        try:
            yield
        finally:
            self._stopping.set()
            await _cancel(inputs)
            reason = "a fault of the agent" if self._failure else "stopped in good order"
            self._write(Stop(max(0, self._clock.now_ms()), reason))
            stored = await self._store_rest(writer)
            await self._uplink.drain(DRAIN_S)
            await _cancel([uplink])
            if stored:
                await self._writer.close()

    async def _store_rest(self, writer: asyncio.Task[None]) -> bool:
        """Stores and seals the rest, after the write that is under way; False when that one does not end in time."""
        self._writer.stop()
        _, late = await asyncio.wait([writer], timeout=LAST_WRITE_S)
        if late:
            log.error("the disk does not answer: what waits in memory is lost")
            await _cancel([writer])
            return False
        with contextlib.suppress(StorageError):
            await self._intake.restore()
        await self._writer.store_rest()
        return True

    def _on_end(self, task: asyncio.Task[None]) -> None:
        """Ends the agent with an error when a task ends by itself: systemd starts it again."""
        if not task.cancelled() and not self._stopping.is_set():
            error = task.exception()
            log.critical("internal error, the agent ends", exc_info=error)
            self._failure = InternalError(
                f"A part of the agent ended by itself ({error!r}): start it again, and report what the log says above"
            )
            self._stopping.set()

    async def _watch_clock(self) -> None:
        while True:
            await asyncio.sleep(1)
            self._record_step()

    def _record_step(self) -> None:
        if step := self._times.detect_step():
            log.warning("clock step", extra={"offset_ms": step.offset_ms})
            self._write(step)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    """Cancels tasks, several times: before Python 3.12 wait_for, which the MQTT client uses, may swallow it."""
    for _ in range(CANCEL_ROUNDS):
        for task in tasks:
            task.cancel()
        _, late = await asyncio.wait(tasks, timeout=CANCEL_ROUND_S)
        if not late:
            break
    for task in tasks:
        if task.done() and not task.cancelled():
            # Retrieved, because asyncio warns of an exception that nobody looked at
            task.exception()
