"""Publishes the meters of one broker with QoS 1 at multiples of the period; reconnects until cancelled."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiomqtt

from firmware_sim.clock import Clock
from firmware_sim.errors import ConfigError, SimError
from firmware_sim.meter import Meter
from firmware_sim.modbus_responder import SimulatorContext
from firmware_sim.mqtt_payloads import Dialect
from firmware_sim.scenario.answering import Answer
from firmware_sim.settings import Mqtt
from firmware_sim.truth_log import ServedReading

FIRST_RETRY_S = 1.0
LAST_RETRY_S = 30.0
ACK_S = 10.0
GOODBYE_S = 1.0
MAX_LATE = 1000
"""Messages of a meter that are held back at once; one more goes out in time."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Broker:
    """How to log in at the building's broker, and how often its meters publish."""

    host: str
    port: int
    username: str | None
    password: str | None
    period_s: int

    @classmethod
    def of(cls, mqtt: Mqtt) -> "Broker":
        """Takes the settings, and reads the password file.

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
    """Logs once that the broker is away, and once that all meters are connected again."""

    away: set[str] = field(default_factory=set)
    """Ids of the meters that are not connected."""

    def lost(self, meter_id: str, broker: Broker, error: Exception) -> None:
        """Counts a meter as not connected."""
        if not self.away:
            log.warning("Broker %s:%d is away (%s): trying again until it is back", broker.host, broker.port, error)
        self.away.add(meter_id)

    def back(self, meter_id: str, broker: Broker) -> None:
        """Counts a meter as connected."""
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


def publish_all(
    context: SimulatorContext, broker: Broker, publications: Mapping[str, Publication]
) -> list[asyncio.Task[None]]:
    """Starts a task with its own connection for every meter; each runs until cancelled.

    What can not be saved or logged is handed to ``context.fail``.
    """
    reachability, loop = Reachability(), asyncio.get_running_loop()
    return [
        loop.create_task(_keep_publishing(context, broker, publication, reachability))
        for publication in publications.values()
    ]


async def _keep_publishing(
    context: SimulatorContext, broker: Broker, publication: Publication, reachability: Reachability
) -> None:
    retry_s = FIRST_RETRY_S
    while True:
        try:
            async with _client(broker, publication) as client:
                reachability.back(publication.meter.id, broker)
                retry_s = FIRST_RETRY_S
                await _tell_presence(client, publication, online=True)
                await _publish_slots(context, broker, client, publication)
        except aiomqtt.MqttError as error:
            reachability.lost(publication.meter.id, broker, error)
        except SimError as error:
            context.fail(error)
            return
        await asyncio.sleep(retry_s)
        retry_s = min(2 * retry_s, LAST_RETRY_S)


def _client(broker: Broker, publication: Publication) -> aiomqtt.Client:
    return aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        identifier=f"sim-{publication.meter.id}",
        will=aiomqtt.Will(
            publication.dialect.presence(publication.prefix), publication.dialect.offline, qos=1, retain=True
        ),
        timeout=ACK_S,
        keepalive=30,
    )


async def _publish_slots(
    context: SimulatorContext, broker: Broker, client: aiomqtt.Client, publication: Publication
) -> None:
    online, late = True, set[asyncio.Task[None]]()
    try:
        while True:
            slot_s = await next_slot(context.clock, broker.period_s)
            answer = context.fleet.answer(publication.meter.id, slot_s)
            context.count_answer(publication.meter.id, slot_s)
            if answer.offline == online:
                online = not answer.offline
                await _tell_presence(client, publication, online=online)
            if answer.late_ms and len(late) < MAX_LATE:
                task = asyncio.create_task(_publish_late(context, client, publication, answer))
                late.add(task)
                task.add_done_callback(late.discard)
            else:
                await _publish(context, client, publication, answer)
    except asyncio.CancelledError:
        # A disconnect in order suppresses the will, so that the meter publishes itself that it is offline
        with contextlib.suppress(aiomqtt.MqttError):
            await _tell_presence(client, publication, online=False, timeout_s=GOODBYE_S)
        raise
    finally:
        for task in late:
            task.cancel()


async def _tell_presence(
    client: aiomqtt.Client, publication: Publication, *, online: bool, timeout_s: float = ACK_S
) -> None:
    dialect = publication.dialect
    text = dialect.online if online else dialect.offline
    await client.publish(dialect.presence(publication.prefix), text, qos=1, retain=True, timeout=timeout_s)


async def _publish_late(
    context: SimulatorContext, client: aiomqtt.Client, publication: Publication, answer: Answer
) -> None:
    await asyncio.sleep(answer.late_ms / 1000)
    try:
        await _publish(context, client, publication, answer)
    except aiomqtt.MqttError:
        pass  # lost, as the connection is; who publishes next says so
    except SimError as error:
        context.fail(error)


async def _publish(context: SimulatorContext, client: aiomqtt.Client, publication: Publication, answer: Answer) -> None:
    context.fleet.save(context.clock.now_ms() // 1000)
    topic, acknowledged = publication.dialect.topic(publication.prefix), False
    messages = [] if answer.silent else publication.dialect.messages(publication.prefix, answer)
    try:
        for payload in messages * (1 + answer.copies):
            await client.publish(topic, payload, qos=1, retain=answer.retained, timeout=ACK_S)
        acknowledged = True
    finally:
        # Without an acknowledgement the message may still have arrived, and so is logged too
        context.log_labels()
        if messages or answer.truth is not None:
            context.truth.record(_served(context, publication, answer, acknowledged=acknowledged))


def _served(
    context: SimulatorContext, publication: Publication, answer: Answer, *, acknowledged: bool
) -> ServedReading:
    shown, carries_export = answer.snapshot, publication.dialect.carries_export
    return ServedReading(
        t_ms=context.clock.now_ms(),
        meter=publication.meter.id,
        import_wh=None if answer.silent or "import_wh" in shown.odd else shown.import_wh,
        export_wh=None if answer.silent or "export_wh" in shown.odd or not carries_export else shown.export_wh,
        active_power_w=shown.power_w,
        via="mqtt",
        payload_ms=shown.clock_s * 1000,
        acknowledged=acknowledged,
        truth=answer.truth,
    )


async def next_slot(clock: Clock, period_s: int) -> int:
    """Sleeps until the next multiple of the period on the wall clock, and returns it in s since 1970."""
    slot_s = (clock.now_ms() // 1000 // period_s + 1) * period_s
    while (left_ms := slot_s * 1000 - clock.now_ms()) > 0:
        if left_ms > 1000 * period_s:  # the clock was set back
            slot_s = (clock.now_ms() // 1000 // period_s + 1) * period_s
            continue
        await asyncio.sleep(left_ms / 1000)
    return slot_s
