"""Publishes the meters of one broker, QoS 1 on the wall-clock grid; a broker that is away is tried again for ever."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiomqtt

from firmware_sim.clock import Clock
from firmware_sim.desk import Shared
from firmware_sim.errors import ConfigError, SimError
from firmware_sim.meter import Meter
from firmware_sim.mqtt_payloads import Dialect
from firmware_sim.settings import Mqtt
from firmware_sim.truth import Served

FIRST_RETRY_S = 1.0
LAST_RETRY_S = 30.0
ACK_S = 10.0
GOODBYE_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Broker:
    """How to log in at the building's broker."""

    host: str
    port: int
    username: str | None
    password: str | None
    period_s: int

    @classmethod
    def of(cls, mqtt: Mqtt) -> "Broker":
        """Reads the settings and the password file.

        Raises:
            ConfigError: there is no URL, or the password file can not be read.
        """
        if mqtt.url is None:
            raise ConfigError("No broker for the MQTT meters: set url in [mqtt], --mqtt-url or PEERWATT_SIM_MQTT__URL")
        parts = urlsplit(mqtt.url)
        password = mqtt.password.get_secret_value() if mqtt.password else None
        if mqtt.password_file is not None:
            try:
                password = mqtt.password_file.read_text().strip()
            except OSError as error:
                raise ConfigError(f"mqtt.password_file {mqtt.password_file}: {error.strerror}") from error
        return cls(parts.hostname or "", parts.port or 1883, mqtt.username, password, mqtt.period_s)


@dataclass
class Reachability:
    """Says once that the broker is away, and once that all meters are back."""

    away: set[str] = field(default_factory=set)

    def lost(self, meter_id: str, broker: Broker, error: Exception) -> None:
        if not self.away:
            log.warning("Broker %s:%d is away (%s): trying again until it is back", broker.host, broker.port, error)
        self.away.add(meter_id)

    def back(self, meter_id: str, broker: Broker) -> None:
        if meter_id in self.away:
            self.away.discard(meter_id)
            if not self.away:
                log.info("Broker %s:%d is back", broker.host, broker.port)


@dataclass(frozen=True)
class Publication:
    """A meter, its dialect and its topic prefix."""

    meter: Meter
    dialect: Dialect
    prefix: str


def publish_all(shared: Shared, broker: Broker, publications: Mapping[str, Publication]) -> list[asyncio.Task[None]]:
    """Starts every meter's connection; each task runs until it is cancelled."""
    reachability, loop = Reachability(), asyncio.get_running_loop()
    return [loop.create_task(_keep_publishing(shared, broker, what, reachability)) for what in publications.values()]


async def _keep_publishing(shared: Shared, broker: Broker, what: Publication, reachability: Reachability) -> None:
    retry_s = FIRST_RETRY_S
    while True:
        try:
            async with _client(broker, what) as client:
                reachability.back(what.meter.id, broker)
                retry_s = FIRST_RETRY_S
                await client.publish(what.dialect.presence(what.prefix), what.dialect.online, qos=1, retain=True)
                await _publish_slots(shared, broker, client, what)
        except aiomqtt.MqttError as error:
            reachability.lost(what.meter.id, broker, error)
        except SimError as error:
            shared.fail(error)
            return
        await asyncio.sleep(retry_s)
        retry_s = min(2 * retry_s, LAST_RETRY_S)


def _client(broker: Broker, what: Publication) -> aiomqtt.Client:
    return aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        identifier=f"sim-{what.meter.id}",
        will=aiomqtt.Will(what.dialect.presence(what.prefix), what.dialect.offline, qos=1, retain=True),
        timeout=ACK_S,
        keepalive=30,
    )


async def _publish_slots(shared: Shared, broker: Broker, client: aiomqtt.Client, what: Publication) -> None:
    try:
        while True:
            slot_s = await next_slot(shared.clock, broker.period_s)
            await _publish(shared, client, what, slot_s)
    except asyncio.CancelledError:
        # An orderly goodbye suppresses the will, so the meter says itself that it is gone
        with contextlib.suppress(aiomqtt.MqttError):
            await client.publish(
                what.dialect.presence(what.prefix), what.dialect.offline, qos=1, retain=True, timeout=GOODBYE_S
            )
        raise


async def _publish(shared: Shared, client: aiomqtt.Client, what: Publication, slot_s: int) -> None:
    snapshot = what.meter.snapshot(slot_s)
    shared.fleet.keep(shared.clock.now_ms() // 1000)
    topic, payload = what.dialect.topic(what.prefix), what.dialect.message(what.prefix, snapshot)
    acknowledged = False
    try:
        await client.publish(topic, payload, qos=1, timeout=ACK_S)
        acknowledged = True
    finally:
        # Without a receipt the message may still have arrived, so it is on record either way
        export_wh = snapshot.export_wh if what.dialect.carries_export else None
        shared.truth.record(
            Served(
                t_ms=shared.clock.now_ms(),
                meter=what.meter.id,
                import_wh=snapshot.import_wh,
                export_wh=export_wh,
                active_power_w=snapshot.power_w,
                via="mqtt",
                payload_ms=slot_s * 1000,
                acknowledged=acknowledged,
            )
        )


async def next_slot(clock: Clock, period_s: int) -> int:
    """Sleeps to the next whole multiple of the period and gives it, in seconds since 1970."""
    slot_s = (clock.now_ms() // 1000 // period_s + 1) * period_s
    while (left_ms := slot_s * 1000 - clock.now_ms()) > 0:
        if left_ms > 1000 * period_s:  # the clock was set back
            slot_s = (clock.now_ms() // 1000 // period_s + 1) * period_s
            continue
        await asyncio.sleep(left_ms / 1000)
    return slot_s
