"""The built-in campus, what may be laid over it, and what is said about settings that do not work."""

from pathlib import Path

import pytest

from firmware_sim.cli import main
from firmware_sim.errors import ConfigError
from firmware_sim.settings import load_settings


def test_the_campus_has_fifteen_meters_in_three_buildings() -> None:
    settings = load_settings()
    assert [meter.id for meter in settings.meter] == [f"METER_{n:03}" for n in range(1, 16)]
    assert {meter.building for meter in settings.meter} == {"north", "south", "workshop"}
    assert len({meter.profile for meter in settings.meter if meter.transport == "tcp"}) >= 3
    assert {str(meter.path) for meter in settings.meter if meter.transport == "rtu"} == {"bus-south"}
    assert len({meter.profile for meter in settings.meter if meter.transport == "mqtt"}) == 2


def test_flag_over_environment_over_file_over_campus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "sim.toml"
    file.write_text('seed = 2\nsun_offset_s = 5\n[mqtt]\nurl = "mqtt://file:1"\nusername = "building"\n')
    monkeypatch.setenv("PEERWATT_SIM_MQTT__URL", "mqtt://environment:2")
    monkeypatch.setenv("PEERWATT_SIM_SUN_OFFSET_S", "6")
    settings = load_settings(file, sun_offset_s=7)
    assert (settings.seed, settings.sun_offset_s, len(settings.meter)) == (2, 7, 15)
    assert (settings.mqtt.url, settings.mqtt.username) == ("mqtt://environment:2", "building")


METER = '[[meter]]\nid = "A"\nprofile = "sdm630"\ntransport = "tcp"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = ", r"is not TOML: Invalid value"),
        ("sede = 1", r"sede: Extra inputs are not permitted"),
        ("seed = -1", r"seed: Input should be greater"),
        (METER.replace("sdm630", "sdm999"), r"meter\.0\.profile: Input should be .*sdm630"),
        (METER.replace('"A"', '"meter 1"'), r"meter\.0\.id"),
        (METER.replace("tcp", "mqtt"), r"profile sdm630 does not go with transport mqtt"),
        (METER.replace("tcp", "rtu"), r"an RTU meter needs path"),
        (METER + "port = 70000", r"meter\.0\.port: Input should be less"),
        (METER + METER, r"Meters A and A both have the id A"),
        (METER + "port=5020\n" + METER.replace('"A"', '"B"') + "port=5020\n", r"A and B both have device 1 on tcp:"),
        ('[[meter]]\nid="A"\nprofile="tasmota-energy"\ntransport="mqtt"\npv_kwp=1', r"no export register"),
        ('[site]\ntz = "Middle/Earth"', r"site\.tz: .*not a time zone"),
        ('[mqtt]\nurl = "localhost"', r"mqtt\.url"),
        ('[mqtt]\nurl = "mqtt://localhost:99999"', r"mqtt\.url: .*port from 1 to 65535"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "sim.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_settings(file)
    assert caught.value.exit_code == 78


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no configuration file"):
        load_settings(tmp_path / "none.toml")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "sim.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_settings(file)


@pytest.mark.parametrize("name", ["METER", "MQTT", "SITE"])
def test_a_section_in_the_environment_that_is_no_json(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"PEERWATT_SIM_{name}", "foo")
    with pytest.raises(ConfigError, match=f"(?i){name}.*PEERWATT_SIM_MQTT__URL"):
        load_settings()


def test_a_port_that_there_is_none_of_on_the_command_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--mqtt-url", "mqtt://127.0.0.1:99999"]) == 78
    assert "port from 1 to 65535" in capfd.readouterr().err
