"""Whose time counts for a message of an MQTT meter, and which message is the same reading again."""

import asyncio
import json
from datetime import UTC, datetime

import aiomqtt
import pytest

from edge.errors import ImplausibleError
from edge.meters.device_time import moment
from edge.meters.dialects import Measurement, dialect_hash
from edge.meters.meter_kind import MeterKind
from edge.meters.mqtt import KEPT_MS, LONGEST_AWAY_MS, Broker, MqttMeter, Subscriber
from edge.meters.points import Rules
from edge.meters.publications import REPEATED_MS, Publications
from edge.meters.readings import MeterReading
from edge.record_builder import RecordBuilder
from edge.runtime.clock import ManualClock, TimeKeeper
from edge.wire.kinds import FLAG_GATEWAY_TIME, FLAG_RETAINED, CounterEvent, Reading
from edge.wire.records import decode_record

NOW_MS = 1_780_000_000_000
CASE_02 = """\
{"Time":"2026-11-29T12:00:00","ENERGY":{"Total":25.000,"Power":7}}
{"Time":"1970-01-01T00:00:03","ENERGY":{"Total":25.001,"Power":7}}
{"Time":"1970-01-01T00:01:03","ENERGY":{"Total":25.003,"Power":7}}
{"Time":"2026-11-29T12:03:00","ENERGY":{"Total":99999.9,"Power":7}}
"""
"""E14: a plug that lost its time, and then a misread."""
CASE_03 = """\
{"Time":"2026-11-29T11:59:00","SML":{"Total_in":5000.000,"Total_out":0.0,"Power_curr":100,"Meter_number":"0a01"}}
{"Time":"2026-11-29T12:00:00","SML":{"Total_in":0.0,"Total_out":0.0,"Power_curr":0,"Meter_number":""}}
{"Time":"2026-11-29T12:01:00","SML":{"Total_in":5000.010,"Total_out":0.0,"Power_curr":100,"Meter_number":"0a01"}}
{"Time":"2026-11-29T12:02:00","SML":{"Total_in":5000.015,"Total_out":0.0,"Power_curr":100,"Meter_number":"0a01"}}
{"Time":"2026-11-29T12:03:00","SML":{"Total_in":5000.020,"Total_out":0.0,"Power_curr":100,"Meter_number":"0a01"}}
"""
"""E1: one message of zeros after the infrared head restarted."""
CASE_04 = """\
{"Time":"2026-10-25T02:57:00","SML":{"Total_in":5000.000}}
{"Time":"2026-10-25T02:59:00","SML":{"Total_in":5000.010}}
{"Time":"2026-10-25T02:00:00","SML":{"Total_in":5000.015}}
{"Time":"2026-10-25T02:57:00","SML":{"Total_in":5000.020}}
{"Time":"2026-10-25T02:59:00","SML":{"Total_in":5000.030}}
{"Time":"2026-10-25T03:00:00","SML":{"Total_in":5000.035}}
"""
"""E14: a device on local time, in the night in which an hour comes twice."""


class Gateway:
    """The subscriber of one meter and the record builder behind it, with clocks that are set."""

    def __init__(self, dialect: str, at: str = "2026-06-01T12:00:00", publications: Publications | None = None) -> None:
        self.clock = ManualClock(ms(at))
        self.builder = RecordBuilder(TimeKeeper(self.clock, bytes(16)))
        if publications is not None:
            self.builder.publications = publications
        self.meter = MqttMeter("METER_011", "t", dialect)
        self.kind = MeterKind(dialect, dialect_hash(dialect), Rules(3_680, 60_000))
        nowhere = Broker("127.0.0.1", 1, None, None, None)
        self.subscriber = Subscriber(
            nowhere, "id", {"t": self.meter}, 60, self.clock, self._accept, self.builder.publications
        )
        self.readings: list[Reading] = []
        self.events: list[str] = []
        self.accepted: list[MeterReading] = []
        self.clock.advance(KEPT_MS)

    def _accept(self, reading: MeterReading) -> asyncio.Future[None]:
        self.accepted.append(reading)
        for record in map(decode_record, self.builder.build(reading, self.kind).records):
            if isinstance(record, Reading):
                self.readings.append(record)
            if isinstance(record, CounterEvent):
                self.events.append(record.event)
        return asyncio.get_running_loop().create_future()

    def take(self, text: str, at: str | None = None, *, retained: bool = False) -> None:
        """Takes a message that comes at this time of the gateway's clock."""
        if at is not None:
            self.clock.advance(ms(at) - self.clock.ms)
        self.subscriber._accept_message(self.meter, aiomqtt.Message("t", text.encode(), 1, retained, 1, None))

    @property
    def times(self) -> list[tuple[str, int]]:
        return [
            (datetime.fromtimestamp(r.slot_s, UTC).isoformat()[:19], r.flags) for r in self.readings
        ]  # fmt: skip


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("off_ms", "synchronised", "used"),
    [(0, True, True), (60_000, True, True), (-60_000, True, True), (60_001, True, False), (-60_001, True, False),
     (0, False, False), (-NOW_MS, True, False), (7_200_000, True, False)],
)  # fmt: skip
def test_a_device_s_time_counts_while_it_is_near_a_synchronised_clock(
    off_ms: int, synchronised: bool, used: bool
) -> None:
    measurement = Measurement(NOW_MS + off_ms, 1, 0, gave_time=True)
    own = moment(measurement, NOW_MS, synchronised=synchronised, retained=False)
    assert own == ((NOW_MS + off_ms, 0) if used else (NOW_MS, FLAG_GATEWAY_TIME))
    if used:
        assert moment(measurement, NOW_MS, synchronised=synchronised, retained=True) == (own[0], FLAG_RETAINED)
    else:
        with pytest.raises(ImplausibleError, match="retained"):
            moment(measurement, NOW_MS, synchronised=synchronised, retained=True)


def test_a_message_without_a_time_has_the_gateway_s_and_no_flag() -> None:
    assert moment(Measurement(None, 1, 0), NOW_MS, synchronised=True, retained=False) == (NOW_MS, 0)
    unreadable = Measurement(None, 1, 0, gave_time=True)
    assert moment(unreadable, NOW_MS, synchronised=True, retained=False) == (NOW_MS, FLAG_GATEWAY_TIME)


async def test_a_device_that_lost_its_time_loses_no_reading_and_explains_no_jump() -> None:
    gateway = Gateway("tasmota-energy", "2026-11-29T11:50:00")
    for minute in (55, 56, 57, 58):
        time = f"2026-11-29T11:{minute}:00"
        gateway.take(json.dumps({"Time": time, "ENERGY": {"Total": 25.0}}), time)
    for minute, line in enumerate(CASE_02.splitlines()):
        gateway.take(line, f"2026-11-29T12:0{minute}:01")
    assert gateway.times[4:] == [
        ("2026-11-29T12:00:00", 0), ("2026-11-29T12:01:01", FLAG_GATEWAY_TIME),
        ("2026-11-29T12:02:01", FLAG_GATEWAY_TIME), ("2026-11-29T12:03:00", 0),
    ]  # fmt: skip
    assert "".join(r.meter_state for r in gateway.readings) == "EEEGGGGO", "56 years explain nothing"


async def test_a_head_that_restarts_with_zeros_is_no_reset() -> None:
    gateway = Gateway("tasmota-sml", "2026-11-29T11:50:00")
    first, *others = CASE_03.splitlines()
    for minute in range(55, 59):
        time = f"2026-11-29T11:{minute}:00"
        gateway.take(first.replace("2026-11-29T11:59:00", time), time)
    for line in (first, *others):
        gateway.take(line, json.loads(line)["Time"])
    assert "".join(r.meter_state for r in gateway.readings[4:]) == "GEGGG"
    assert [r.import_wh for r in gateway.readings[5:]] == [0, 5_000_010, 5_000_015, 5_000_020]
    assert gateway.events == ["first"], "no reset, no swap: 20 Wh and no more"


@pytest.mark.parametrize("idle", [False, True])
async def test_the_hour_that_comes_twice_loses_no_reading(idle: bool) -> None:
    """Even when nothing is used, and the same message comes again an hour later."""
    gateway = Gateway("tasmota-sml", "2026-10-24T23:00:00")
    moments = ["00:57:00", "00:59:00", "01:00:00", "01:57:00", "01:59:00", "02:00:00"]
    for line, at in zip(CASE_04.splitlines(), moments, strict=True):
        message = json.loads(line)
        gateway.take(json.dumps(message | ({"SML": {"Total_in": 5000}} if idle else {})), f"2026-10-25T{at}")
    assert gateway.times == [(f"2026-10-25T{at}", FLAG_GATEWAY_TIME) for at in moments]


@pytest.mark.parametrize("time", ["soon", "1970-01-01T00:03:00", "2026-06-01T07:00:00", "2999-01-01T00:00:00", 5, None])
async def test_a_wrong_time_costs_no_energy(time: object) -> None:
    gateway = Gateway("tasmota-sml")
    gateway.take(json.dumps({"Time": time, "SML": {"Total_in": 1}}), "2026-06-01T12:05:00")
    assert gateway.times == [("2026-06-01T12:05:00", FLAG_GATEWAY_TIME)]


async def test_two_readings_of_a_meter_never_have_the_same_time() -> None:
    gateway = Gateway("tasmota-sml")
    for total in (1, 2, 3):
        gateway.take(json.dumps({"Time": "2026-06-01T12:05:00", "SML": {"Total_in": total}}), "2026-06-01T12:05:01")
        gateway.take(json.dumps({"SML": {"Total_in": total}}))
    times = [r.slot_s * 1000 + r.read_offset_ms for r in gateway.readings]
    assert len(set(times)) == 6 and max(times) - min(times) < 1_010


MESSAGE = '{"Time": "2026-06-01T12:05:00", "SML": {"Total_in": 1}}'


async def test_a_message_that_comes_again_is_the_same_reading() -> None:
    """G9: at once, and retained after a restart two hours later."""
    gateway = Gateway("tasmota-sml")
    for _ in range(2):
        gateway.take(MESSAGE, "2026-06-01T12:05:01")
    gateway.take('{"Time": "2026-06-01T12:05:00", "SML": {"Total_in": 2}}')
    assert len(gateway.readings) == 2, "the same time with other registers is another reading"
    restarted = Publications()
    restarted.restore([("METER_011", r.message) for r in gateway.accepted])
    later = Gateway("tasmota-sml", "2026-06-01T14:05:00", restarted)
    later.subscriber._connected_ms = later.clock.monotonic
    later.take(MESSAGE, retained=True)
    later.take(MESSAGE)
    later.take('{"Time": "2026-06-01T11:00:00", "SML": {"Total_in": 0.5}}', retained=True)
    assert later.readings == [], "what a broker kept, and nobody knows since when, says nothing of now"


async def test_only_what_a_broker_may_have_kept_is_the_same_after_a_while() -> None:
    gateway = Gateway("tasmota-sml")
    gateway.take(MESSAGE, "2026-06-01T12:05:00")
    gateway.clock.advance(REPEATED_MS - 1)
    gateway.take(MESSAGE)
    assert len(gateway.readings) == 1
    gateway.clock.advance(1)
    gateway.take(MESSAGE)
    assert len(gateway.readings) == 2
    gateway.clock.advance(2 * REPEATED_MS)
    gateway.subscriber._connected_ms = gateway.clock.monotonic - KEPT_MS + 1
    gateway.take(MESSAGE)
    assert len(gateway.readings) == 2, "it is delivered again after a new connection"
    gateway.subscriber._connected_ms -= 1
    gateway.take(MESSAGE)
    assert len(gateway.readings) == 3


async def test_messages_without_a_time_are_readings_of_their_own() -> None:
    gateway = Gateway("tasmota-sml")
    for _ in range(2):
        gateway.take('{"SML": {"Total_in": 1}}')
    assert len(gateway.readings) == 2


async def test_what_waited_at_the_broker_may_have_been_measured_since_the_connection_was_lost() -> None:
    gateway = Gateway("tasmota-sml")
    gateway.take(MESSAGE, "2026-06-01T12:05:07")
    gateway.take('{"SML": {"Total_in": 2}}')
    subscriber, now_ms = gateway.subscriber, gateway.clock.monotonic
    assert (subscriber._connected_ms, subscriber._away_since_ms) == (1_000_000, 1_000_000 - LONGEST_AWAY_MS)
    subscriber._connected_ms, subscriber._away_since_ms = now_ms, now_ms - 5_000_000
    gateway.take('{"SML": {"Total_in": 3}}')
    gateway.take('{"Time": "2026-06-01T10:00:00", "SML": {"Total_in": 4}}')
    assert [reading.late_ms for reading in gateway.accepted] == [7_000, 0, 5_000_000, 5_000_000]
