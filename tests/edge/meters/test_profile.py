"""Meter profiles and their schema: bounds, defaults, and what is refused."""

from fractions import Fraction
from typing import Any

import pytest
import yaml

from edge.errors import ConfigError
from edge.meters.profile import (
    Check,
    EnergyRegister,
    Profile,
    Quantity,
    Register,
    Serial,
    load_profile,
    parse_profile,
    profile_names,
)

LEAST: dict[str, Any] = {
    "maker": "M", "model": "X", "source": "S", "function": "input", "max_power_w": 5,
    "import_wh": {"address": 1, "type": "f32"},
}  # fmt: skip
BOUNDS: dict[str, tuple[int, int | None]] = {
    "max_registers": (2, 125), "hole_max": (0, 125), "silence_ms": (0, 2000), "reply_ms": (10, 10_000),
    "worst_reply_ms": (10, 20_000), "max_power_w": (1, None), "save_period_s": (0, 86_400),
    "import_wh.address": (0, 65535),
    "export_wh.address": (0, 65535), "serial.address": (0, 65535), "serial.registers": (1, 20),
    "quantities.address": (0, 65535), "quantities.scale": (-12, 12),
}  # fmt: skip
DEFAULTS: dict[type, dict[str, object]] = {
    Profile: {
        "low_word_first": False, "max_registers": 125, "pairs_only": False, "hole_max": 8, "barriers": (),
        "silence_ms": 0, "reply_ms": 300, "worst_reply_ms": 1000, "export_wh": None, "quantities": (), "serial": None,
        "save_period_s": 0, "probe": (),
    },
    Register: {"factor": Fraction(1), "function": None},
    EnergyRegister: {"factor": Fraction(1), "function": None, "rollovers_wh": (), "optional": False},
    Quantity: {"factor": Fraction(1), "function": None, "scale": 0, "optional": True},
    Check: {"registers": 1, "factor": Fraction(1), "function": None, "lowest": None, "highest": None, "one_of": (),
            "none_of": (), "begins": "", "optional": False},
    Serial: {"type": "u32", "registers": 2, "function": None},
}  # fmt: skip


def parsed(name: str, value: object) -> Profile:
    """Parses the least profile with one field changed, or added; a part is given what it needs beside."""
    part, _, field = name.rpartition(".")
    beside = {"": {}, "quantities": {"address": 1, "type": "f32", "obis": "16.7.0"}}
    inner: dict[str, Any] = beside.get(part, {"address": 1, "type": "u32"} if part == "serial" else LEAST["import_wh"])
    changed = inner | {field: value}
    profile = LEAST | ({part: [changed] if part == "quantities" else changed} if part else changed)
    return parse_profile(yaml.safe_dump(profile), "x")


@pytest.mark.parametrize("name", BOUNDS)
def test_a_number_has_its_bounds(name: str) -> None:
    least, most = BOUNDS[name]
    for value in {least, least if most is None else most}:
        parsed(name, value)
    for value in {least - 1, least - 1 if most is None else most + 1}:
        with pytest.raises(ConfigError, match=name.partition(".")[0]):
            parsed(name, value)


@pytest.mark.parametrize("part", DEFAULTS, ids=lambda part: part.__name__)
def test_what_a_profile_leaves_out_has_a_default(part: Any) -> None:
    fields = part.model_fields.items()
    assert {name: field.default for name, field in fields if not field.is_required()} == DEFAULTS[part]


@pytest.mark.parametrize("obis", ["16.7", "16.7.0.1", "1234.7.0", "a.7.0", "16.7.0 "])
def test_a_quantity_has_an_obis_code(obis: str) -> None:
    with pytest.raises(ConfigError, match="obis"):
        parsed("quantities.obis", obis)


def test_a_rollover_has_a_width() -> None:
    widths = {"address": 1, "type": "u32", "rollovers_wh": [2**32, 10**6]}
    assert parsed("import_wh", widths).import_wh.rollovers_wh == (2**32, 10**6)
    with pytest.raises(ConfigError, match="rollovers_wh"):
        parsed("import_wh", widths | {"rollovers_wh": [0]})


def test_only_an_export_register_may_be_missing() -> None:
    register = {"address": 1, "type": "u32", "optional": True}
    export = parsed("export_wh", register).export_wh
    assert export is not None and export.optional
    with pytest.raises(ConfigError, match="never optional"):
        parsed("import_wh", register)


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
