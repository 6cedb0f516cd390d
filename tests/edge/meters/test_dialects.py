"""MQTT dialects: registers of good messages, and a refusal by name of whatever else is published."""

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ImplausibleError
from edge.meters.dialects import Measurement, dialect_hash, parse
from edge.meters.mqtt import MqttMeter
from edge.meters.mqtt import _reading as reading_of
from edge.record_builder import RecordBuilder
from edge.runtime.clock import ManualClock, TimeKeeper
from edge.wire.kinds import FLAG_CLOCK_SKEW
from edge.wire.quantities import ACTIVE_POWER
from edge.wire.records import decode_record


def message(**values: Any) -> bytes:
    return json.dumps(values).encode()


def test_the_three_dialects() -> None:
    sml = parse(
        "tasmota-sml",
        message(Time="2026-06-01T10:00:10", SML={"Total_in": 12.345, "Total_out": 0.001, "Power_curr": -7}),
    )
    assert sml is not None and (sml.at_ms, sml.import_wh, sml.export_wh) == (1_780_308_010_000, 12_345, 1)
    assert sml.quantities == ((ACTIVE_POWER, -7, 0),)
    energy = parse("tasmota-energy", message(Time="2026-06-01T10:00:10+02:00", ENERGY={"Total": 3.1}))
    assert energy is not None and (energy.at_ms, energy.import_wh) == (1_780_300_810_000, 3_100)
    shelly = parse(
        "shelly-gen2",
        message(
            method="NotifyStatus", params={"ts": 1780000000.25, "emdata:0": {"total_act": 5.5, "total_act_ret": 0.4}}
        ),
    )
    assert shelly is not None
    assert (shelly.at_ms, shelly.import_wh, shelly.export_wh) == (1_780_000_000_250, 6, 0)


def test_messages_without_energy_are_no_fault() -> None:
    assert parse("tasmota-sml", message(Time="2026-06-01T10:00:10", Uptime=5)) is None
    assert (
        parse("shelly-gen2", message(method="NotifyStatus", params={"ts": 1, "em:0": {"total_act_power": 5}})) is None
    )


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"{", b'{"SML": {"Total_in": "x"}}', b'{"SML": {"Total_in": -1}}', b'{"SML": {"Total_in": true}}',
     b'{"SML": {"Total_in": 1e99}}', b'{"SML": {}}', b'{"SML": 5}', b'{"Time": "soon", "SML": {"Total_in": 1}}',
     b"\xff\xfe", b"9" * 20_000, b"[" * 10_000, b'{"SML": {"Total_in": 1e-5000000}}', b'{"SML": {"Total_in": "1e-31"}}',
     b'{"SML": {"Total_in": 1e99999999999999999999}}', b'{"SML": {"Total_in": NaN}}', b'{"SML": [1]}'],
)  # fmt: skip
def test_wrong_messages_are_named(payload: bytes) -> None:
    with pytest.raises(ImplausibleError):
        parse("tasmota-sml", payload)


def test_a_meter_may_say_null_and_name_itself_in_any_letters() -> None:
    shelly = parse("shelly-gen2", message(method="NotifyStatus", src="Büro\0", params={"em:0": None, **EMDATA}))
    assert shelly is not None and (shelly.serial, shelly.quantities) == ("B?ro?", ())
    sml = parse("tasmota-sml", message(SML={"Total_in": 1, "Meter_number": "Zähler 7"}))
    assert sml is not None and sml.serial == "Z?hler 7"


EMDATA = {"emdata:0": {"total_act": 1, "total_act_ret": 0}}
NUMBERS = st.sampled_from(
    [0, -1, 2**70, 10**30, 1.5, 1e15, 1e300, -1e-300, 1_780_000_000_000, "1e-999999", "-0", "9" * 40, "NaN", True, None]
)
ANYTHING = st.one_of(
    NUMBERS, st.integers(), st.floats(), st.text(max_size=40), st.lists(NUMBERS, max_size=2),
    st.dictionaries(st.sampled_from(["total_act_power", "total_act"]), NUMBERS, max_size=2),
)  # fmt: skip
MOMENTS = st.one_of(
    ANYTHING, st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-06-01T10:00:00"])
)


def shaped(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """What a dialect looks for, with anything in it, or missing."""
    return st.fixed_dictionaries({}, optional={**fields, "other": ANYTHING})


def or_anything(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(strategy, strategy, strategy, ANYTHING)


MESSAGES = {
    "tasmota-sml": st.fixed_dictionaries({
        "Time": MOMENTS,
        "SML": or_anything(shaped(Total_in=ANYTHING, Total_out=ANYTHING, Power_curr=ANYTHING, Meter_number=ANYTHING)),
    }),
    "tasmota-energy": st.fixed_dictionaries({
        "Time": MOMENTS, "ENERGY": or_anything(shaped(Total=ANYTHING, Power=ANYTHING)),
    }),
    "shelly-gen2": st.fixed_dictionaries({
        "method": st.just("NotifyStatus"), "src": ANYTHING,
        "params": or_anything(st.fixed_dictionaries({
            "ts": MOMENTS, "em:0": or_anything(shaped(total_act_power=ANYTHING)),
            "emdata:0": or_anything(shaped(total_act=ANYTHING, total_act_ret=ANYTHING)),
        })),
    }),
}  # fmt: skip


@given(st.sampled_from(sorted(MESSAGES)), st.data())
def test_no_message_crashes_a_dialect_or_the_record_builder(dialect: str, data: st.DataObject) -> None:
    """Whatever a dialect makes of a message becomes records that can be read again, or is refused by name."""
    payload = json.dumps(data.draw(MESSAGES[dialect])).encode()
    clock = ManualClock(1_780_000_000_000)
    builder = RecordBuilder(TimeKeeper(clock, bytes(16)))
    with contextlib.suppress(ImplausibleError):
        measurement = parse(dialect, payload)
        if measurement is not None:
            reading = reading_of(MqttMeter("METER_001", "t", dialect), measurement, clock.ms, retained=False)
            for record in builder.build(reading, dialect, dialect_hash(dialect), 250_000).records:
                decode_record(record)


@given(st.sampled_from(sorted(MESSAGES)), st.binary(max_size=200))
def test_noise_never_crashes_a_dialect(dialect: str, payload: bytes) -> None:
    with contextlib.suppress(ImplausibleError):
        parse(dialect, payload)


@pytest.mark.parametrize(("ahead_s", "read_at_s", "skewed"), [
    (-5, -5, False), (30, 30, False), (7_200, 7_200, True), (86_401, 0, True), (2_300_000_000, 0, True),
])  # fmt: skip
def test_a_time_that_is_far_ahead_is_not_believed(ahead_s: int, read_at_s: int, skewed: bool) -> None:
    now_ms = 1_780_000_000_000
    measurement = Measurement(now_ms + ahead_s * 1000, 1, 0)
    reading = reading_of(MqttMeter("METER_001", "t", "tasmota-sml"), measurement, now_ms, retained=False)
    assert (reading.read_at_ms, bool(reading.flags & FLAG_CLOCK_SKEW)) == (now_ms + read_at_s * 1000, skewed)
    assert reading.slot_s == reading.read_at_ms // 1000


def test_a_time_without_a_zone_is_utc_wherever_the_gateway_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        sml = parse("tasmota-sml", message(Time="2026-06-01T10:00:10", SML={"Total_in": 1}))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert sml is not None and sml.at_ms == 1_780_308_010_000
