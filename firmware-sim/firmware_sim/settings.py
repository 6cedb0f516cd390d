"""The simulator's settings: a flag wins over the environment, that over a TOML file, that over the built-in campus."""

import tomllib
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from firmware_sim.errors import ConfigError

CAMPUS = Path(__file__).parent / "sites" / "campus.toml"

ModbusProfile = Literal["sdm630", "sdm120", "iem3155", "umg96rm", "em340", "abb-b23"]
Dialect = Literal["tasmota-sml", "tasmota-energy", "shelly-gen2"]
LoadProfile = Literal["h0_dyn", "g0", "g1", "g2", "g3", "g4", "g5", "g6", "l0", "l1", "l2"]
CENTURY_S = 100 * 365 * 86_400
DIALECTS = ("tasmota-sml", "tasmota-energy", "shelly-gen2")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Site(_Part):
    """A real place: the sun and the calendar of the loads come from it."""

    name: str = Field(description="The site's name, for people.")
    latitude: float = Field(ge=-66, le=66, description="Degrees, positive to the north; no polar nights.")
    longitude: float = Field(ge=-180, le=180, description="Degrees, positive to the east.")
    altitude_m: int = Field(default=0, ge=-400, le=6000, description="Metres above sea level: air dims the sun.")
    tz: str = Field(
        description="Time zone by its IANA name, such as `Europe/Berlin`: loads follow its calendar and clock."
    )

    @field_validator("tz")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is not a time zone; use a name like Europe/Berlin") from error
        return value


class Load(_Part):
    """A BDEW standard load profile (demandlib) scaled to a year's consumption."""

    profile: LoadProfile = Field(
        description="`h0_dyn` households; businesses: `g0` any, `g1` weekdays 8 to 18, `g2` evenings, `g3` through the "
        "night, `g4` shops, `g5` bakeries, `g6` weekends; farms: `l0` any, `l1` with dairy, `l2` other."
    )
    annual_kwh: int = Field(ge=0, le=10_000_000, description="What is consumed in a year, in kWh.")


class Meter(_Part):
    """One meter: what it is, what hangs behind it and how it is reached."""

    id: str = Field(
        pattern=r"^[A-Z0-9_]{1,32}$",
        description="The meter's name, such as `METER_001`: 1 to 32 of A-Z, 0-9 and `_`. Serial number and first "
        "registers follow from it and `seed`.",
    )
    building: str = Field(default="", description="Where it hangs; `site` shows it.")
    profile: ModbusProfile | Dialect = Field(
        description="Which meter it plays: a Modbus register map, or for `mqtt` one of the dialects `tasmota-sml`, "
        "`tasmota-energy` (no export, so no PV) and `shelly-gen2`."
    )
    transport: Literal["tcp", "rtu", "rtutcp", "mqtt"] = Field(
        description="How it is reached: Modbus TCP, RTU on a pty, RTU frames over TCP, or MQTT."
    )
    host: str = Field(default="127.0.0.1", description="For `tcp` and `rtutcp`: the address to listen on.")
    port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="For `tcp` and `rtutcp`: the port to listen on. 0: a free one, with `--state` the same as last "
        "time where it is still free. Meters with the same host and port share one listener.",
    )
    endpoint: str | None = Field(
        default=None,
        description="For `tcp` and `rtutcp`: meters with the same name here share one listener, at the host and port "
        "of the first of them.",
    )
    device: int = Field(
        default=1, ge=1, le=247, description="For Modbus: the unit address on the bus or listener, unique there."
    )
    path: Path | None = Field(
        default=None,
        description="For `rtu`, which needs it: symlink to the pty of the bus, absolute or below `run_dir`. Meters "
        "with the same path share the bus.",
    )
    topic: str | None = Field(
        default=None,
        pattern=r"^[^+#\s]+$",
        description="For `mqtt`: topic prefix, without wildcards. Tasmota publishes to `tele/PREFIX/SENSOR`, Shelly to "
        "`PREFIX/events/rpc`. Unset: the id.",
    )
    pv_kwp: float = Field(
        default=0, ge=0, le=100_000, description="Peak power of the PV behind the meter, in kW. 0: there is none."
    )
    pv_tilt_deg: int = Field(
        default=30, ge=0, le=90, description="The modules' angle to the ground in degrees: 0 flat, 90 upright."
    )
    pv_azimuth_deg: int = Field(
        default=180, ge=0, lt=360, description="Where the modules face, in degrees: 0 north, 90 east, 180 south."
    )
    load: Load | None = Field(
        default=None,
        description='What is consumed behind the meter, such as `{ profile = "g1", annual_kwh = 30000 }`; it varies by '
        "up to 15 % every 10 seconds. Unset: nothing.",
    )

    @model_validator(mode="after")
    def _fits(self) -> "Meter":
        if (self.profile in DIALECTS) != (self.transport == "mqtt"):
            raise ValueError(f"profile {self.profile} does not go with transport {self.transport}")
        if self.transport == "rtu" and self.path is None:
            raise ValueError("an RTU meter needs path, the symlink of its bus")
        if self.profile == "tasmota-energy" and self.pv_kwp:
            raise ValueError(
                "tasmota-energy has no export register: take tasmota-sml or shelly-gen2 for a meter with PV"
            )
        return self

    @property
    def pv_wp(self) -> int:
        """Peak power of the PV behind the meter in W."""
        return round(self.pv_kwp * 1000)


class Mqtt(_Part):
    """The building's broker and how often its meters publish."""

    url: str | None = Field(
        default=None,
        pattern=r"^mqtt://[^/:\s]+(:\d+)?$",
        description="`mqtt://host:port`; without a port it is 1883. Needed when a meter publishes over MQTT.",
    )
    username: str | None = Field(default=None, description="The meters' name at the broker. Unset: they give none.")
    password: SecretStr | None = Field(
        default=None, description="The password at the broker; best given in the environment, or as `password_file`."
    )
    password_file: Path | None = Field(
        default=None, description="File with the password and nothing else; it goes before `password`."
    )
    period_s: int = Field(
        default=10,
        ge=1,
        le=900,
        description="Seconds between two publications of a meter, at whole multiples of it on the wall clock in UTC.",
    )

    @field_validator("url")
    @classmethod
    def _port_exists(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                port = urlsplit(value).port
            except ValueError:
                port = 0
            if port == 0:
                raise ValueError(f"{value!r} needs a port from 1 to 65535, or none")
        return value


class Settings(BaseSettings):
    """Everything the simulator needs to know."""

    model_config = SettingsConfigDict(
        env_prefix="PEERWATT_SIM_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    seed: int = Field(
        default=1,
        ge=0,
        lt=2**63,
        description="Serial numbers, first registers and the variation of the loads follow from it: the same number "
        "gives the same bytes.",
    )
    sun_offset_s: int = Field(
        default=0,
        ge=-CENTURY_S,
        le=CENTURY_S,
        description="Seconds from the time of day to the time at the site, by which sun and loads go. `site "
        "--sun-offset` gives the one for 10:00 of June's third Wednesday.",
    )
    run_dir: Path = Field(default=Path(), description="Folder below which relative bus paths lie.")
    site: Site = Field(description="Where the meters are. The built-in campus is in Ilmenau, Thuringia.")
    mqtt: Mqtt = Field(default=Mqtt(), description="The building's broker, for meters that publish.")
    meter: tuple[Meter, ...] = Field(
        min_length=1,
        max_length=1000,
        description="The meters, one `[[meter]]` each. A file with any replaces all meters of the built-in campus.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        campus = TomlConfigSettingsSource(settings_cls, CAMPUS)
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls), campus)


def load_settings(config: Path | None = None, **overrides: Any) -> Settings:
    """Reads flags, environment, file and built-in campus, in this order of precedence.

    Raises:
        ConfigError: a file is missing or not TOML, a value is missing, unknown or wrong, or two meters collide.
    """
    if config is not None and not config.is_file():
        raise ConfigError(f"There is no configuration file {config}: name one with --config, or leave it out")

    class Loaded(Settings):
        model_config = SettingsConfigDict(toml_file=config)

    try:
        settings = Loaded(**overrides)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{config} is not TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{config} can not be read ({error.strerror}): check its owner and mode") from error
    except SettingsError as error:
        raise ConfigError(
            f"A variable PEERWATT_SIM_... can not be read ({error}): a section or list is written as JSON there, one "
            "value of a section as PEERWATT_SIM_MQTT__URL"
        ) from error
    except ValidationError as error:
        faults = "; ".join(_fault(e["loc"], e["msg"]) for e in error.errors()[:5])
        raise ConfigError(
            f"The simulator's settings are wrong ({config or 'environment and flags'}): {faults}"
        ) from error
    check_meters(settings.meter)
    return settings


def _fault(loc: tuple[int | str, ...], message: str) -> str:
    # The union of profile names reports each half; the field's name is what helps
    names = [str(part) for part in loc if not str(part).startswith("literal[")]
    return f"{'.'.join(names)}: {message}"


def listener_name(meter: Meter) -> str:
    """Names the listener or bus of a Modbus meter; meters with the same name share it."""
    if meter.transport == "rtu":
        return f"rtu:{meter.path}"
    if meter.endpoint is not None:
        return f"{meter.transport}:{meter.endpoint}"
    return f"{meter.transport}:{meter.host}:{meter.port}" if meter.port else f"{meter.transport}:{meter.id}"


def check_meters(meters: tuple[Meter, ...]) -> None:
    """Refuses two meters of one id, one bus address or one topic.

    Raises:
        ConfigError: two meters collide.
    """
    places: dict[str, str] = {}
    for meter in meters:
        mine = [f"the id {meter.id}"]
        if meter.transport == "mqtt":
            mine.append(f"the topic {meter.topic or meter.id}")
        else:
            mine.append(f"device {meter.device} on {listener_name(meter)}")
        for place in mine:
            if place in places:
                raise ConfigError(f"Meters {places[place]} and {meter.id} both have {place}: give one of them another")
            places[place] = meter.id
