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
from edge.meters.backoff import MOST_MS, Backoff
from edge.meters.counters import Counters, judge
from edge.meters.decode import decode, half_up
from edge.meters.dialects import parse
from edge.meters.endpoints import parse_endpoint
from edge.meters.plan import Block, Wire, plan
from edge.meters.profile import Profile, load_profile, names, parse_profile
from edge.wire.quantities import ACTIVE_POWER

TCP = Wire(10_000, 10)
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
    assert plan(SDM, ["16.7.0"], TCP) == (Block("input", 0x34, 24),)
    everything = plan(SDM, [quantity.obis for quantity in SDM.quantities], TCP)
    assert everything == (Block("input", 0, 76),)
    slow = Wire.of(parse_endpoint("rtu:///x?baud=9600"), load_profile("sdm120"))
    assert plan(load_profile("sdm120"), ["16.7.0"], slow) == (Block("input", 12, 2), Block("input", 72, 4))


@given(
    st.sampled_from(names()), st.lists(st.sampled_from(["16.7.0", "14.7.0", "32.7.0", "52.7.0", "72.7.0"])), st.data()
)
def test_every_plan_covers_what_is_wanted_and_no_two_blocks_look_alike(
    name: str, quantities: list[str], data: st.DataObject
) -> None:
    profile = load_profile(name)
    blocks = plan(profile, quantities, Wire(data.draw(st.integers(1, 200_000)), data.draw(st.integers(1, 10_000))))
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
    assert plan(profile, ["16.7.0"], TCP) == (Block("input", 0x34, 2), Block("input", 0x48, 4))


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
    assert {"sdm630", "sdm120", "iem3155", "umg96rm", "em340", "abb-b23"} <= set(names())
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
     b"\xff\xfe", b"9" * 20_000],
)  # fmt: skip
def test_wrong_messages_are_named(payload: bytes) -> None:
    with pytest.raises(ImplausibleError):
        parse("tasmota-sml", payload)


@given(st.binary(max_size=200))
def test_noise_never_crashes_a_dialect(payload: bytes) -> None:
    for dialect in ("tasmota-sml", "tasmota-energy", "shelly-gen2"):
        with contextlib.suppress(ImplausibleError):
            parse(dialect, payload)


def test_back_off_grows_says_so_once_and_ends_with_a_success() -> None:
    backoff = Backoff()
    assert backoff.failed(0) and not backoff.failed(2_000)
    assert not backoff.may_try(5_999) and backoff.may_try(6_000)
    for _ in range(500):
        backoff.failed(0)
    assert backoff.again_at_ms == MOST_MS
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
