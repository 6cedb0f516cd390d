"""The simulator's settings: a flag wins over the environment, that over a TOML file, that over the built-in campus."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
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
DIALECTS = ("tasmota-sml", "tasmota-energy", "shelly-gen2")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Site(_Part):
    """A real place: the sun and the calendar of the loads come from it."""

    name: str
    latitude: float = Field(ge=-66, le=66)
    longitude: float = Field(ge=-180, le=180)
    altitude_m: int = Field(default=0, ge=-400, le=6000)
    tz: str

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

    profile: LoadProfile
    annual_kwh: int = Field(ge=0, le=10_000_000)


class Meter(_Part):
    """One meter: what it is, what hangs behind it and how it is reached."""

    id: str = Field(pattern=r"^[A-Z0-9_]{1,32}$")
    building: str = ""
    profile: ModbusProfile | Dialect
    transport: Literal["tcp", "rtu", "rtutcp", "mqtt"]
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535, description="0 = a free port")
    endpoint: str | None = Field(default=None, description="Meters with the same name here share one listener")
    device: int = Field(default=1, ge=1, le=247)
    path: Path | None = Field(default=None, description="Symlink to the pty of an RTU bus, absolute or below run_dir")
    topic: str | None = Field(default=None, pattern=r"^[^+#\s]+$", description="MQTT topic prefix; default: the id")
    pv_kwp: float = Field(default=0, ge=0, le=100_000)
    pv_tilt_deg: int = Field(default=30, ge=0, le=90)
    pv_azimuth_deg: int = Field(default=180, ge=0, lt=360)
    load: Load | None = None

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

    url: str | None = Field(default=None, pattern=r"^mqtt://[^/:\s]+(:\d+)?$", description="mqtt://host:port")
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    period_s: int = Field(default=10, ge=1, le=900)

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

    seed: int = Field(default=1, ge=0, lt=2**63)
    sun_offset_s: int = Field(default=0, description="Site time minus wall time")
    run_dir: Path = Field(default=Path(), description="Folder of relative bus paths")
    site: Site
    mqtt: Mqtt = Mqtt()
    meter: Annotated[tuple[Meter, ...], Field(min_length=1, max_length=1000)]

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
