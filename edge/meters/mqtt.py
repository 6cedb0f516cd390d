"""Subscribes to meters that publish over MQTT; a message is acknowledged when its reading is durable."""

import asyncio
import contextlib
import logging
import ssl
from asyncio import Future
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import aiomqtt

from edge.errors import ConfigError, ImplausibleError, NettingError
from edge.meters.device_time import moment
from edge.meters.dialects import Measurement, parse
from edge.meters.manual_acks import acknowledge, acknowledge_manually
from edge.meters.publications import Publications
from edge.meters.readings import MeterReading
from edge.runtime import metrics
from edge.runtime.clock import Clock

FIRST_RETRY_S, LAST_RETRY_S = 1.0, 60.0
KEPT_MS = 60_000
"""What comes within this time after the connection may have waited at the broker."""
LONGEST_AWAY_MS = 7 * 86_400_000
"""How long a message may have waited whose agent was not running."""
TAKEN = 64
"""Times of readings per meter that no other reading is given."""
SILENT_PERIODS = 5
"""After this many poll periods without a message a meter is lost."""
MAX_UNACKNOWLEDGED = 1000

log = logging.getLogger(__name__)

Accept = Callable[[MeterReading], Future[None]]
"""Accepts a reading; the future is done when it is durable. Raises ImplausibleError when it can not be true."""


@dataclass(frozen=True)
class MqttMeter:
    """One meter that publishes: the topic of its readings and their dialect."""

    meter_id: str
    topic: str
    dialect: str


@dataclass(frozen=True)
class Broker:
    """How to log in at the building's broker; ``tls`` is None for a plain connection."""

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
    """Subscribes to the meters of one broker, by topic, until cancelled."""

    def __init__(
        self, broker: Broker, client_id: str, meters: Mapping[str, MqttMeter], period_s: int, clock: Clock,
        accept: Accept, publications: Publications,
    ) -> None:  # fmt: skip
        self._broker = broker
        self._client_id = client_id
        self._meters = meters
        self._clock = clock
        self._accept = accept
        self._publications = publications
        self._connected_ms = clock.monotonic_ms()
        self._away_since_ms = clock.monotonic_ms() - LONGEST_AWAY_MS
        """Since when the broker may have kept messages."""
        self._taken_ms: dict[str, deque[int]] = {}
        self._silence_ms = SILENT_PERIODS * period_s * 1000
        self._heard_ms = dict.fromkeys((m.meter_id for m in meters.values()), clock.monotonic_ms())
        self._lost: set[str] = set()
        self._said: set[tuple[str, str]] = set()
        """Meters and values of which was said that they are left out."""
        self.refused: dict[str, str] = {}
        """Why meters are not recorded though they publish, by meter id."""
        self._unacknowledged = asyncio.Semaphore(MAX_UNACKNOWLEDGED)
        self._acknowledging: set[asyncio.Task[None]] = set()
        self._newest: dict[str, Future[None]] = {}
        """The future of each meter's newest reading, by meter id."""

    @property
    def lost(self) -> list[str]:
        """Ids of the meters that have published nothing for too long; logs once who is lost and who is back."""
        now_ms = self._clock.monotonic_ms()
        silent = {name for name, heard_ms in self._heard_ms.items() if now_ms - heard_ms > self._silence_ms}
        for meter_id in sorted(silent - self._lost):
            log.warning("meter lost", extra={"meter_id": meter_id, "reason": "it publishes nothing"})
        for meter_id in sorted(self._lost - silent):
            log.info("meter back", extra={"meter_id": meter_id})
        self._lost = silent
        return sorted(silent)

    async def run(self) -> None:
        """Connects and takes messages, again and again, until cancelled."""
        retry_s, away = FIRST_RETRY_S, False
        while True:
            try:
                async with self._client() as client:
                    for topic in self._meters:
                        await client.subscribe(topic, qos=1)
                    log.info("broker back" if away else "broker connected", extra={"broker": self._broker.host})
                    retry_s, away = FIRST_RETRY_S, False
                    self._connected_ms = self._clock.monotonic_ms()
                    async for message in client.messages:
                        await self._take(client, message)
            except aiomqtt.MqttError as error:
                if not away:
                    self._away_since_ms = self._clock.monotonic_ms()
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
        acknowledge_manually(client)
        return client

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        """Acknowledges a message when its reading is durable; at once when nothing of it is recorded."""
        meter = self._meters.get(message.topic.value)
        durable = None if meter is None else self._accept_message(meter, message)
        if durable is None:
            acknowledge(client, message)
            return
        await self._unacknowledged.acquire()
        task = asyncio.create_task(self._acknowledge_later(client, message, durable))
        self._acknowledging.add(task)
        task.add_done_callback(self._acknowledging.discard)

    async def _acknowledge_later(self, client: aiomqtt.Client, message: aiomqtt.Message, durable: Future[None]) -> None:
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await durable
                acknowledge(client, message)
        finally:
            self._unacknowledged.release()

    def _accept_message(self, meter: MqttMeter, message: aiomqtt.Message) -> Future[None] | None:
        """Accepts the message's reading; None when nothing of it is recorded, and so nothing is to be waited for."""
        payload = bytes(message.payload)
        try:
            measurement = parse(meter.dialect, payload)
            if measurement is None:
                return None
            self._say_left_out(meter, measurement)
            digest = sha256(payload).digest()[:16] if measurement.gave_time else b""
            monotonic_ms = self._clock.monotonic_ms()
            was_kept = message.retain or monotonic_ms - self._connected_ms < KEPT_MS
            if self._publications.is_repeated(meter.meter_id, digest, monotonic_ms, was_kept=was_kept):
                metrics.MQTT_DROPPED.labels("repeated").inc()
                # The first delivery may still be on its way to the disk: this one must not be acknowledged before
                return self._newest.get(meter.meter_id)
            reading = self._reading(meter, measurement, retained=message.retain, was_kept=was_kept)
            reading = replace(reading, message=digest)
            future = self._newest[meter.meter_id] = self._accept(reading)
        except NettingError as error:
            self._refuse(meter.meter_id, str(error))
            return None
        except ImplausibleError as error:
            metrics.MQTT_DROPPED.labels("implausible").inc()
            log.warning("message dropped", extra={"meter_id": meter.meter_id, "reason": str(error)})
            return None
        except Exception:  # not acknowledged it would come again after every restart, for ever
            metrics.MQTT_DROPPED.labels("fault").inc()
            log.exception("message dropped", extra={"meter_id": meter.meter_id, "reason": "a fault of the agent"})
            return None
        self._heard_ms[meter.meter_id] = self._clock.monotonic_ms()
        self.refused.pop(meter.meter_id, None)
        metrics.READINGS.labels("mqtt").inc()
        return future

    def _refuse(self, meter_id: str, reason: str) -> None:
        """Notes that a meter publishes what can not be recorded, and says it once."""
        metrics.MQTT_DROPPED.labels("refused").inc()
        self._heard_ms[meter_id] = self._clock.monotonic_ms()
        if meter_id not in self.refused:
            log.error("meter refused", extra={"meter_id": meter_id, "reason": reason})
        self.refused[meter_id] = reason

    def _say_left_out(self, meter: MqttMeter, measurement: Measurement) -> None:
        """Says once for each value of a meter that it is left out."""
        for reason in measurement.left_out:
            key = meter.meter_id, reason.partition(" ")[0]
            if key not in self._said:
                self._said.add(key)
                log.warning("value left out", extra={"meter_id": meter.meter_id, "value": key[1], "reason": reason})

    def _reading(self, meter: MqttMeter, measurement: Measurement, *, retained: bool, was_kept: bool) -> MeterReading:
        """Makes the reading of a message that came now; no two readings of a meter have the same time.

        Raises:
            ImplausibleError: nobody can say when it was measured.
        """
        now_ms, monotonic_ms = self._clock.now_ms(), self._clock.monotonic_ms()
        synchronised = self._clock.synchronised()[0]
        at_ms, flags = moment(measurement, now_ms, synchronised=synchronised, retained=retained)
        late_ms = max(0, now_ms - at_ms) if at_ms != now_ms or not was_kept else monotonic_ms - self._away_since_ms
        taken_ms = self._taken_ms.setdefault(meter.meter_id, deque(maxlen=TAKEN))
        while at_ms in taken_ms:
            at_ms += 1
        taken_ms.append(at_ms)
        return MeterReading(
            meter.meter_id, at_ms // 1000, at_ms, measurement.import_wh, measurement.export_wh,
            measurement.quantities, measurement.serial, flags, monotonic_ms=monotonic_ms,
            late_ms=late_ms,
        )  # fmt: skip
