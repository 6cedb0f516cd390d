"""Meter profiles and their schema."""

import pytest

from edge.errors import ConfigError
from edge.meters.profile import Profile, load_profile, parse_profile, profile_names


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
