"""MQTT dialects: registers of good messages, and a refusal by name of whatever else is published."""

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ImplausibleError, NettingError
from edge.meters.device_time import moment
from edge.meters.dialects import dialect_hash, parse
from edge.meters.meter_kind import MeterKind
from edge.meters.points import Rules
from edge.meters.readings import MeterReading
from edge.record_builder import RecordBuilder
from edge.runtime.clock import ManualClock, TimeKeeper
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
     b'{"SML": {"Total_in": 1e99}}', b'{"SML": {}}', b'{"SML": 5}',
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


CASES = {
    "01_tasmota_3phase_arrays": '{"Time":"2026-11-29T12:00:00","ENERGY":{"TotalStartTime":"2026-01-01T00:00:00",'
    '"Total":31.043,"Yesterday":7.154,"Today":3.322,"ExportActive":[0.000,0.000,0.000],"Power":[11,0,0],'
    '"Voltage":[231,0,0],"Current":[0.785,0.013,0.013]}}',
    "01b_tasmota_total_array": '{"Time":"2026-11-29T12:00:00","ENERGY":{"Total":[2.092,243.196,191.497],'
    '"Power":[298,7,0]}}',
    "01c_tasmota_export": '{"Time":"2026-11-29T12:01:00","ENERGY":{"Total":16647.947,"ExportActive":[1508.370,1929.488,'
    '1696.624],"ImportActive":[4392.588,2795.954,4301.033],"Power":-251.6}}',
    "05_total_runs_backwards": '{"Time":"2026-11-29T12:00:00","ENERGY":{"Total":16.500,"ExportActive":[1.2,0.0,0.0],'
    '"Power":[-3000,0,0]}}',
}
"""As Tasmota devices with three phases publish them."""


def test_import_and_export_are_taken_apart_where_the_device_tells_both() -> None:
    """E15."""
    energy = parse("tasmota-energy", CASES["01c_tasmota_export"].encode())
    assert energy is not None and (energy.import_wh, energy.export_wh) == (11_489_575, 5_134_482)
    assert (energy.quantities, energy.left_out) == (((ACTIVE_POWER, -252, 0),), ())
    imported = parse("tasmota-energy", b'{"ENERGY": {"Total": 5, "ImportActive": 7.0005}}')
    assert imported is not None and (imported.import_wh, imported.export_wh) == (7_001, 0)


def test_a_total_that_nets_is_refused_with_the_reason() -> None:
    """E15: it runs backwards while the device exports."""
    with pytest.raises(NettingError, match="it has exported"):
        parse("tasmota-energy", CASES["05_total_runs_backwards"].encode())


@pytest.mark.parametrize("name", ["ExportActive", "ImportActive"])
@pytest.mark.parametrize("wrong", ["null", '"x"', "[]", "[1, -1]", "-1"])
def test_energy_that_is_no_number_is_refused(name: str, wrong: str) -> None:
    """It is not beside the energy: it is the energy."""
    with pytest.raises(ImplausibleError):
        parse("tasmota-energy", f'{{"ENERGY": {{"Total": 1, "{name}": {wrong}}}}}'.encode())


@pytest.mark.parametrize(("case", "import_wh", "power"), [
    ("01_tasmota_3phase_arrays", 31_043, "[11, 0, 0]"), ("01b_tasmota_total_array", 436_785, "[298, 7, 0]"),
])  # fmt: skip
def test_arrays_cost_no_energy(case: str, import_wh: int, power: str) -> None:
    """G3: totals of phases are added; what an array of powers means is not known."""
    energy = parse("tasmota-energy", CASES[case].encode())
    assert energy is not None and (energy.import_wh, energy.export_wh, energy.quantities) == (import_wh, 0, ())
    assert energy.left_out == (f"Power is {power}",)


SHELLY = (
    '{"method": "NotifyStatus", "params": {"em:0": {"total_act_power": %s}, '
    '"emdata:0": {"total_act": 1500, "total_act_ret": 0}}}'
)


@pytest.mark.parametrize("power", ['"strong"', "null", "NaN", "[1]", "[]", "{}", "true", "1e99", '"NaN"', '"1e-31"'])
def test_a_wrong_power_costs_no_energy(power: str) -> None:
    for dialect, text, name in (
        ("tasmota-sml", '{"SML": {"Total_in": 1.5, "Power_curr": %s}}', "Power_curr"),
        ("tasmota-energy", '{"ENERGY": {"Total": 1.5, "Power": %s}}', "Power"),
        ("shelly-gen2", SHELLY, "total_act_power"),
    ):  # fmt: skip
        measurement = parse(dialect, (text % power).encode())
        assert measurement is not None and (measurement.import_wh, measurement.quantities) == (1_500, ()), dialect
        assert [text.partition(" is ")[0] for text in measurement.left_out] == [name]


@pytest.mark.parametrize("total", ["[]", "[1, null]", "[1, -2]", '["x"]', "[[1]]", "{}"])
def test_an_array_of_totals_has_numbers(total: str) -> None:
    with pytest.raises(ImplausibleError):
        parse("tasmota-energy", b'{"ENERGY": {"Total": %s}}' % total.encode())


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
        "Time": MOMENTS, "ENERGY": or_anything(shaped(
            Total=ANYTHING, Power=ANYTHING, ImportActive=ANYTHING, ExportActive=ANYTHING
        )),
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
    with contextlib.suppress(ImplausibleError, NettingError):
        measurement = parse(dialect, payload)
        if measurement is not None:
            at_ms, flags = moment(measurement, clock.ms, synchronised=True, retained=False)
            reading = MeterReading(
                "METER_001", at_ms // 1000, at_ms, measurement.import_wh, measurement.export_wh,
                measurement.quantities, measurement.serial, flags,
            )  # fmt: skip
            for record in builder.build(
                reading, MeterKind(dialect, dialect_hash(dialect), Rules(250_000, 60_000))
            ).records:
                decode_record(record)


@given(st.sampled_from(sorted(MESSAGES)), st.binary(max_size=200))
def test_noise_never_crashes_a_dialect(dialect: str, payload: bytes) -> None:
    with contextlib.suppress(ImplausibleError, NettingError):
        parse(dialect, payload)


def test_a_time_without_a_zone_is_utc_wherever_the_gateway_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        sml = parse("tasmota-sml", message(Time="2026-06-01T10:00:10", SML={"Total_in": 1}))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert sml is not None and sml.at_ms == 1_780_308_010_000
