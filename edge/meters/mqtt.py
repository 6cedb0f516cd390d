"""Meters that publish: one connection to the building's broker; a message is acknowledged once its row is durable."""

import asyncio
import contextlib
import logging
import ssl
from asyncio import Future
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiomqtt

from edge.errors import ConfigError, ImplausibleError
from edge.meters.dialects import Measurement, parse
from edge.meters.held_ack import acknowledge, hold_acknowledgements
from edge.meters.readings import MeterReading
from edge.runtime import metrics
from edge.runtime.clock import Clock
from edge.wire.kinds import FLAG_CLOCK_SKEW, FLAG_RETAINED

FIRST_RETRY_S, LAST_RETRY_S = 1.0, 60.0
SKEW_MS = 60_000
FAR_AHEAD_MS = 86_400_000
"""No time zone explains a meter's time that is more than a day ahead of ours: then ours counts."""
SILENT_PERIODS = 5
MAX_UNDURABLE = 1000

log = logging.getLogger(__name__)

Enter = Callable[[MeterReading], Future[None]]
"""Takes a reading; the future is done when it is durable. Raises ImplausibleError when it can not be true."""


@dataclass(frozen=True)
class MqttMeter:
    """One publishing meter: the topic of its readings and their dialect."""

    meter_id: str
    topic: str
    dialect: str


@dataclass(frozen=True)
class Broker:
    """How to log in at the building's broker."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: ssl.SSLContext | None

    @classmethod
    def load(cls, url: str, username: str | None, password_file: Path | None, ca_file: Path | None) -> "Broker":
        """Reads the password file, and for an ``mqtts`` URL the broker's CA in PEM (None: the system's CAs).

        Raises:
            ConfigError: a file can not be read.
        """
        parts = urlsplit(url)
        secure = parts.scheme == "mqtts"
        try:
            password = password_file.read_text().strip() if password_file else None
            tls = ssl.create_default_context(cafile=ca_file) if secure else None
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"A file of [mqtt] can not be read ({error}): correct password_file or ca_file"
            ) from error
        return cls(parts.hostname or "", parts.port or (8883 if secure else 1883), username, password, tls)


class Subscriber:
    """Listens to the meters of one broker, for ever."""

    def __init__(
        self, broker: Broker, client_id: str, meters: Mapping[str, MqttMeter], period_s: int, clock: Clock,
        enter: Enter, is_recorded: Callable[[str, int], bool],
    ) -> None:  # fmt: skip
        self._broker = broker
        self._client_id = client_id
        self._meters = meters
        self._clock = clock
        self._enter = enter
        self._is_recorded = is_recorded
        self._silence_ms = SILENT_PERIODS * period_s * 1000
        self._heard_ms = dict.fromkeys((m.meter_id for m in meters.values()), clock.monotonic_ms())
        self._lost: set[str] = set()
        self._undurable = asyncio.Semaphore(MAX_UNDURABLE)
        self._acks: set[asyncio.Task[None]] = set()
        self._newest: dict[str, Future[None]] = {}

    @property
    def lost(self) -> list[str]:
        """Meters that have been silent for too long."""
        now_ms = self._clock.monotonic_ms()
        silent = {name for name, heard_ms in self._heard_ms.items() if now_ms - heard_ms > self._silence_ms}
        for meter_id in sorted(silent - self._lost):
            log.warning("meter lost", extra={"meter_id": meter_id, "reason": "it publishes nothing"})
        for meter_id in sorted(self._lost - silent):
            log.info("meter back", extra={"meter_id": meter_id})
        self._lost = silent
        return sorted(silent)

    async def run(self) -> None:
        """Connects, listens, and connects again until cancelled."""
        retry_s, away = FIRST_RETRY_S, False
        while True:
            try:
                async with self._client() as client:
                    for topic in self._meters:
                        await client.subscribe(topic, qos=1)
                    log.info("broker back" if away else "broker connected", extra={"broker": self._broker.host})
                    retry_s, away = FIRST_RETRY_S, False
                    async for message in client.messages:
                        await self._take(client, message)
            except aiomqtt.MqttError as error:
                if not away:
                    where = f"{self._broker.host}:{self._broker.port}"
                    log.warning("broker lost", extra={"broker": where, "reason": str(error)})
                away = True
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, LAST_RETRY_S)

    def _client(self) -> aiomqtt.Client:
        # The session stays at the broker, with what is not acknowledged, while the agent is away
        client = aiomqtt.Client(
            self._broker.host, self._broker.port, username=self._broker.username, password=self._broker.password,
            identifier=self._client_id, clean_session=False, tls_context=self._broker.tls, keepalive=30, timeout=10,
        )  # fmt: skip
        hold_acknowledgements(client)
        return client

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        meter = self._meters.get(message.topic.value)
        durable = None if meter is None else self._durable(meter, message)
        if durable is None:
            acknowledge(client, message)
            return
        await self._undurable.acquire()
        task = asyncio.create_task(self._acknowledge_later(client, message, durable))
        self._acks.add(task)
        task.add_done_callback(self._acks.discard)

    async def _acknowledge_later(self, client: aiomqtt.Client, message: aiomqtt.Message, durable: Future[None]) -> None:
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await durable
                acknowledge(client, message)
        finally:
            self._undurable.release()

    def _durable(self, meter: MqttMeter, message: aiomqtt.Message) -> Future[None] | None:
        """Enters the message's reading; None when there is nothing to record and so nothing to wait for."""
        payload = bytes(message.payload)
        now_ms = self._clock.now_ms()
        try:
            measurement = parse(meter.dialect, payload)
            if measurement is None:
                return None
            reading = _reading(meter, measurement, now_ms, retained=message.retain)
            if self._is_recorded(meter.meter_id, reading.read_at_ms):
                metrics.MQTT_DROPPED.labels("repeated").inc()
                # The first delivery may still be on its way to the disk: this one must not be acknowledged before
                return self._newest.get(meter.meter_id)
            future = self._newest[meter.meter_id] = self._enter(reading)
        except ImplausibleError as error:
            metrics.MQTT_DROPPED.labels("implausible").inc()
            log.warning("message dropped", extra={"meter_id": meter.meter_id, "reason": str(error)})
            return None
        except Exception:  # not acknowledged it would come again after every restart, for ever
            metrics.MQTT_DROPPED.labels("fault").inc()
            log.exception("message dropped", extra={"meter_id": meter.meter_id, "reason": "a fault of the agent"})
            return None
        self._heard_ms[meter.meter_id] = self._clock.monotonic_ms()
        metrics.READINGS.labels("mqtt").inc()
        return future


def _reading(meter: MqttMeter, measurement: Measurement, now_ms: int, *, retained: bool) -> MeterReading:
    if retained and measurement.at_ms is None:
        raise ImplausibleError("a retained message without a time")
    at_ms = now_ms if measurement.at_ms is None else measurement.at_ms
    flags = (FLAG_RETAINED if retained else 0) | (FLAG_CLOCK_SKEW if at_ms - now_ms > SKEW_MS else 0)
    if at_ms - now_ms > FAR_AHEAD_MS:
        at_ms = now_ms
    return MeterReading(
        meter.meter_id, at_ms // 1000, at_ms, measurement.import_wh, measurement.export_wh, measurement.quantities,
        measurement.serial, flags, pushed=True,
    )  # fmt: skip
