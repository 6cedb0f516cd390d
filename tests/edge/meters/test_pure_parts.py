"""The pure parts of reading meters: addresses, plans, decoding, profiles, dialects, back-off and counters."""

import contextlib
import json
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ConfigError, ImplausibleError
from edge.meters.backoff import MAX_PAUSE_MS, Backoff
from edge.meters.counters import Counters, judge
from edge.meters.decode import decode, half_up
from edge.meters.dialects import Measurement, dialect_hash, parse
from edge.meters.endpoints import parse_endpoint
from edge.meters.mqtt import MqttMeter
from edge.meters.mqtt import _reading as reading_of
from edge.meters.plan import Block, WireCost, plan_blocks
from edge.meters.profile import Profile, load_profile, parse_profile, profile_names
from edge.record_builder import RecordBuilder
from edge.runtime.clock import ManualClock, TimeKeeper
from edge.wire.kinds import FLAG_CLOCK_SKEW
from edge.wire.quantities import ACTIVE_POWER
from edge.wire.records import decode_record

TCP = WireCost(10_000, 10)
SDM = load_profile("sdm630")


def test_a_url_says_bus_line_and_device() -> None:
    serial = parse_endpoint("rtu:///dev/ttyUSB0?baud=19200&parity=e&device=3")
    assert (serial.bus, serial.line, serial.device, serial.is_rtu) == ("rtu:///dev/ttyUSB0", (19200, "E", 1), 3, True)
    tcp = parse_endpoint("tcp://10.0.0.5")
    assert (tcp.bus, tcp.device, tcp.is_rtu) == ("tcp://10.0.0.5:502", 1, False)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://x", "must begin with tcp://"),
        ("rtu://dev/ttyUSB0", "three slashes"),
        ("tcp:///x", "needs a host"),
        ("tcp://h?device=248", "device must be a number from 1 to 247"),
        ("tcp://h?device=one", "device must be a number"),
        ("rtu:///d?parity=X", "parity must be N, E or O"),
        ("tcp://h?baud=9600", "unknown baud"),
    ],
)
def test_a_wrong_url_says_what_is_right(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_endpoint(url)


def test_plans_stay_within_the_meter_s_rules() -> None:
    assert plan_blocks(SDM, ["16.7.0"], TCP) == (Block("input", 0x34, 24),)
    everything = plan_blocks(SDM, [quantity.obis for quantity in SDM.quantities], TCP)
    assert everything == (Block("input", 0, 76),)
    slow = WireCost.of(parse_endpoint("rtu:///x?baud=9600"), load_profile("sdm120"))
    assert plan_blocks(load_profile("sdm120"), ["16.7.0"], slow) == (Block("input", 12, 2), Block("input", 72, 4))


@given(
    st.sampled_from(profile_names()),
    st.lists(st.sampled_from(["16.7.0", "14.7.0", "32.7.0", "52.7.0", "72.7.0"])),
    st.data(),
)
def test_every_plan_covers_what_is_wanted_and_no_two_blocks_look_alike(
    name: str, quantities: list[str], data: st.DataObject
) -> None:
    profile = load_profile(name)
    blocks = plan_blocks(
        profile, quantities, WireCost(data.draw(st.integers(1, 200_000)), data.draw(st.integers(1, 10_000)))
    )
    wanted = [profile.import_wh, *(q for q in profile.quantities if q.obis in quantities)]
    for register in [*wanted, profile.export_wh]:
        assert register is not None and any(
            block.address <= register.address and register.address + register.count <= block.address + block.count
            for block in blocks
        )
    assert len({block.count for block in blocks}) == len(blocks)
    assert all(block.count <= profile.max_registers for block in blocks)
    if profile.pairs_only:
        assert all(block.address % 2 == 0 == block.count % 2 for block in blocks)


def test_no_request_covers_a_barrier() -> None:
    profile = SDM.model_copy(update={"barriers": (0x40,)})
    assert plan_blocks(profile, ["16.7.0"], TCP) == (Block("input", 0x34, 2), Block("input", 0x48, 4))


@pytest.mark.parametrize(
    ("words", "kind", "value"),
    [
        ([0x4640, 0xE6B7], "f32", Fraction(12641975, 1024)),
        ([0x7FC0, 0], "f32", None),
        ([0xFFFF, 0xFFFF], "u32", None),
        ([0x7FFF, 0xFFFF], "i32", None),
        ([0xFFFF, 0xFFFF], "i32", Fraction(-1)),
        ([0, 0, 0, 5], "i64", Fraction(5)),
        ([0x3FF0, 0, 0, 0], "f64", Fraction(1)),
        ([0xFFFE], "i16", Fraction(-2)),
    ],
)
def test_decoding(words: Sequence[int], kind: str, value: Fraction | None) -> None:
    assert decode(words, kind) == value
    assert decode(list(reversed(words)), kind, low_word_first=True) == value


def test_a_half_goes_up() -> None:
    halves = [Fraction(5, 2), Fraction(-5, 2), Fraction(7, 3)]
    assert [half_up(value) for value in halves] == [3, -2, 2]


def test_profiles_are_checked() -> None:
    assert {"sdm630", "sdm120", "iem3155", "umg96rm", "em340", "abb-b23"} <= set(profile_names())
    with pytest.raises(ConfigError, match="no meter profile 'sdm999': use one of abb-b23"):
        load_profile("sdm999")
    good = "maker: M\nmodel: X\nsource: S\nfunction: input\nmax_power_w: 5\nimport_wh: {address: 1, type: f32}\n"
    assert isinstance(parse_profile(good, "x"), Profile)
    for bad, says in [
        (good.replace("f32", "f16"), "import_wh.type"),
        (good.replace("max_power_w: 5", ""), "max_power_w"),
        (good + "colour: red\n", "colour"),
        (good.replace("type: f32", "type: f32, factor: 0.1"), "whole number or a fraction"),
        ("- a\n- b\n", "not a YAML mapping"),
        ("a: [", "not a YAML mapping"),
    ]:
        with pytest.raises(ConfigError, match=says):
            parse_profile(bad, "x")


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
def test_no_message_crashes_a_dialect_or_the_book(dialect: str, data: st.DataObject) -> None:
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


def test_back_off_grows_says_so_once_and_ends_with_a_success() -> None:
    backoff = Backoff()
    assert backoff.failed(0) and not backoff.failed(2_000)
    assert not backoff.may_try(5_999) and backoff.may_try(6_000)
    for _ in range(500):
        backoff.failed(0)
    assert backoff.again_at_ms == MAX_PAUSE_MS
    assert backoff.succeeded() and not backoff.succeeded() and backoff.may_try(0)


@pytest.mark.parametrize(
    ("before", "now", "seconds", "event", "plausible"),
    [
        ((1_000, 50), (1_010, 50), 60, "", True),
        ((1_000, 50), (1_000, 50), 60, "", True),
        ((1_000, 50), (90_000, 50), 60, "", False),
        ((1_000, 50), (90_000, 50), 7_200, "", True),
        ((1_000, 50), (2_000, 50), -3_600, "", True),
        ((1_000, 50), (90_000, 50), -3_600, "", False),
        ((2**32 - 20, 50), (30, 50), 60, "rollover", True),
        ((999_999_950, 50), (10, 50), 60, "rollover", True),
        ((5_000_000, 4_000_000), (0, 0), 60, "reset", True),
        ((5_000_000, 50), (4_998_000, 50), 60, "step_back", True),
        ((5_000_000, 50), (2_000_000, 50), 60, "", False),
    ],
)
def test_counters(before: tuple[int, int], now: tuple[int, int], seconds: int, event: str, plausible: bool) -> None:
    judgement = judge(Counters(10_000, *before), Counters(10_000 + seconds, *now), 30_000)
    assert (judgement.event, judgement.plausible) == (event, plausible)


def test_another_serial_number_is_a_swap() -> None:
    assert judge(Counters(0, 5, 5, "A"), Counters(60, 1, 1, "B"), 10).event == "swap"
    assert judge(None, Counters(60, 1, 1, "B"), 10).event == ""
