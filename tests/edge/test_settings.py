"""What the agent's settings may be: bounds, defaults, and what is refused before anything runs."""

from typing import Any

import pytest
from pydantic import BaseModel

from edge.errors import ConfigError
from edge.fleet import build_fleet
from edge.sections import Hub, Meter, Mqtt
from edge.settings import Settings, load_settings

BOUNDS: dict[str, tuple[int, int]] = {
    "poll_period_s": (1, 900), "seal_interval_s": (1, 60), "heartbeat_s": (1, 600), "interval_s": (1, 86_400),
    "keep_days": (1, 365),
    "max_ledger_mb": (8, 65536), "backlog_frames_per_s": (1, 1000), "metrics_port": (0, 65535),
    "rated_power_w": (1, 100_000_000), "rollover_wh": (1, 2**63 - 1),
}  # fmt: skip
DEFAULTS: dict[type[BaseModel], dict[str, object]] = {
    Settings: {
        "poll_period_s": 60, "seal_interval_s": 5, "heartbeat_s": 60, "interval_s": 900, "keep_days": 30,
        "max_ledger_mb": 512,
        "backlog_frames_per_s": 50, "metrics_port": 0, "log_level": "info", "quantities": ("16.7.0",), "mqtt": None,
    },
    Hub: {"nats_url": None},
    Mqtt: {"username": None, "password_file": None, "ca_file": None},
    Meter: {"profile": None, "url": None, "dialect": None, "topic": None, "rated_power_w": None,
            "rollover_wh": None},
}  # fmt: skip


def loaded(**changes: Any) -> Settings:
    meter: dict[str, Any] = {"id": "METER_001", "profile": "sdm630", "url": "tcp://127.0.0.1"}
    meter |= {name: changes.pop(name) for name in ("rated_power_w", "rollover_wh") if name in changes}
    given: dict[str, Any] = {
        "gateway_id": "gw-north", "state_dir": "state", "hub": {"url": "https://hub", "ca_file": "ca.pem"},
        "meter": [meter],
    }  # fmt: skip
    return load_settings(None, **given | changes)


@pytest.mark.parametrize("name", BOUNDS)
def test_a_number_has_its_bounds(name: str) -> None:
    least, most = BOUNDS[name]
    for value in (least, most):
        loaded(**{name: value})
    for value in (least - 1, most + 1):
        with pytest.raises(ConfigError, match=name):
            loaded(**{name: value})


def test_every_number_has_bounds_and_every_default_is_known() -> None:
    numbers = {
        name for section in DEFAULTS for name, field in section.model_fields.items()
        if field.annotation in (int, int | None)
    }  # fmt: skip
    assert numbers == set(BOUNDS)
    for section, defaults in DEFAULTS.items():
        optional = {name: field.default for name, field in section.model_fields.items() if not field.is_required()}
        assert optional == defaults


@pytest.mark.parametrize("changes", [
    {"gateway_id": "GW"}, {"gateway_id": "-gw"}, {"gateway_id": "g" * 33}, {"gateway_id": ""},
    {"quantities": ["16.7.0"] * 17}, {"meter": []}, {"log_level": "trace"}, {"colour": "red"},
    {"hub": {"url": "http://hub", "ca_file": "ca.pem"}}, {"hub": {"url": "https://hub/x", "ca_file": "ca.pem"}},
    {"hub": {"url": "https://hub", "ca_file": "ca.pem", "nats_url": "nats://hub"}},
    {"mqtt": {"url": "http://broker"}}, {"mqtt": {"url": "mqtt://user@broker"}}, {"mqtt": {"url": "mqtt://b/x"}},
    {"interval_s": 7}, {"interval_s": 901}, {"meter": [{"id": "M" * 33, "profile": "sdm630", "url": "tcp://h"}]},
    {"meter": [{"id": "M", "dialect": "tasmota-sml", "topic": "a/#"}], "mqtt": {"url": "mqtt://b"}},
    {"meter": [{"id": "M", "dialect": "tasmota-sml", "topic": "a" * 201}], "mqtt": {"url": "mqtt://b"}},
    {"meter": [{"id": f"M{n}", "profile": "sdm630", "url": f"tcp://h{n}"} for n in range(1001)]},
])  # fmt: skip
def test_what_no_setting_may_be(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        loaded(**changes)


def test_what_is_refused_is_named_by_its_place() -> None:
    """A field of a part with a dot, a part of a list with its number."""
    with pytest.raises(ConfigError, match=r"hub\.url: "):
        loaded(hub={"url": "http://hub", "ca_file": "ca.pem"})
    with pytest.raises(ConfigError, match=r"meter\.0\.id: .*; poll_period_s: |poll_period_s: .*; meter\.0\.id: "):
        loaded(poll_period_s=0, meter=[{"id": "M" * 33, "profile": "sdm630", "url": "tcp://h"}])


def test_what_settings_may_be_at_most() -> None:
    loaded(quantities=["16.7.0"] * 16, gateway_id="g" * 32)
    loaded(meter=[{"id": "M", "dialect": "tasmota-sml", "topic": "a" * 200}], mqtt={"url": "mqtts://b:1"})
    many = loaded(meter=[{"id": f"M{n}", "profile": "sdm630", "url": f"tcp://h{n}"} for n in range(1000)])
    assert len(many.meter) == 1000


def test_what_a_meter_can_measure_unless_the_settings_say_otherwise() -> None:
    def power_w(**more: object) -> int:
        meters = [{"id": "M", "dialect": "tasmota-sml", "topic": "t", **more}]
        return build_fleet(loaded(meter=meters, mqtt={"url": "mqtt://b"})).kinds["M"].rules.max_power_w

    assert (power_w(), power_w(rated_power_w=7)) == (250_000, 7)
    assert (
        build_fleet(loaded()).kinds["METER_001"].rules.max_power_w
        == build_fleet(loaded()).modbus[0].profile.max_power_w
    )
    assert build_fleet(loaded(rated_power_w=7)).kinds["METER_001"].rules.max_power_w == 7


def test_other_settings_have_another_hash() -> None:
    assert loaded().config_hash == loaded().config_hash != loaded(poll_period_s=61).config_hash
