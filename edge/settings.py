"""The agent's settings: one TOML file (``--config``), and an environment variable for every value."""

import os
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from edge.errors import ConfigError
from edge.meters.endpoints import Endpoint, parse_endpoint

MQTT_URL = r"^mqtts?://[^/:@\s]+(:\d+)?$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _with_port(value: str) -> str:
    try:
        port = urlsplit(value).port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError(f"{value!r} needs a host, and a port from 1 to 65535 or none")
    return value


Url = Annotated[str, AfterValidator(_with_port)]


class Hub(_Part):
    """Where the gateway enrols, and the CA that it trusts for that and nothing else."""

    url: Url = Field(pattern=r"^https://[^/\s]+/?$", description="The hub's device listener, https://host:port")
    ca_file: Path = Field(description="PEM of the hub's own CA (pinned)")
    nats_url: Url | None = Field(
        default=None,
        pattern=r"^tls://[^/\s]+$",
        description="Where the hub's NATS is now, if not where it was at enrolment",
    )


class Mqtt(_Part):
    """The building's broker."""

    url: Url = Field(pattern=MQTT_URL, description="mqtt://host:port or mqtts://host:port")
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = Field(default=None, description="For mqtts: PEM of the broker's CA")


class Meter(_Part):
    """One meter: a profile and a URL (Modbus), or a dialect and a topic (MQTT)."""

    id: str = Field(pattern=r"^[A-Z0-9_]{1,32}$")
    profile: str | None = None
    url: str | None = None
    dialect: Literal["tasmota-sml", "tasmota-energy", "shelly-gen2"] | None = None
    topic: str | None = Field(default=None, pattern=r"^[^+#\s]{1,200}$")
    rated_power_w: int | None = Field(default=None, ge=1, le=100_000_000)

    @field_validator("url")
    @classmethod
    def _known_form(cls, value: str | None) -> str | None:
        if value is not None:
            parse_endpoint(value)
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        modbus, mqtt = (self.profile, self.url), (self.dialect, self.topic)
        if (all(modbus) and not any(mqtt)) or (all(mqtt) and not any(modbus)):
            return self
        raise ValueError(f"{self.id} needs either profile and url (Modbus) or dialect and topic (MQTT)")

    @property
    def endpoint(self) -> Endpoint:
        """Where a Modbus meter is reached; the URL has been checked."""
        return parse_endpoint(self.url or "")


class Settings(BaseSettings):
    """Everything the agent needs to know; the environment wins over the file."""

    model_config = SettingsConfigDict(env_prefix="PEERWATT_EDGE_", env_nested_delimiter="__", extra="forbid")

    gateway_id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    state_dir: Path = Field(description="Private folder (0700) for keys, identity and ledger")
    poll_period_s: int = Field(default=60, ge=1, le=900, description="Slots are multiples of it on the wall clock")
    seal_interval_s: int = Field(default=5, ge=1, le=60)
    heartbeat_s: int = Field(default=60, ge=1, le=600)
    keep_days: int = Field(default=30, ge=1, le=365, description="How long frames stay after the hub's receipt")
    max_ledger_mb: int = Field(default=512, ge=8, le=65536, description="Then the oldest frames go, with a gap record")
    backlog_frames_per_s: int = Field(default=50, ge=1, le=1000)
    metrics_port: int = Field(default=0, ge=0, le=65535, description="Prometheus on loopback; 0 = off")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    quantities: tuple[str, ...] = Field(default=("16.7.0",), max_length=16, description="OBIS codes beside the energy")
    hub: Hub
    mqtt: Mqtt | None = None
    meter: tuple[Meter, ...] = Field(min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        ids = [meter.id for meter in self.meter]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"meters are listed twice: {', '.join(twice)}")
        if self.mqtt is None and any(meter.dialect for meter in self.meter):
            raise ValueError("there are MQTT meters but no [mqtt] section: add url, username and password_file")
        places = [f"device {m.endpoint.device} on {m.endpoint.bus}" for m in self.meter if m.url]
        if shared := sorted({place for place in places if places.count(place) > 1}):
            raise ValueError(f"two meters can not be at the same address: {', '.join(shared)}")
        return self

    @property
    def config_hash(self) -> bytes:
        """SHA-256 of all settings, for start records; secrets are in files of their own and so not in it."""
        return sha256(self.model_dump_json().encode()).digest()

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
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # It can not be seen from here: reading it says why
        return True


def load_settings(config: Path | None = None, **overrides: Any) -> Settings:
    """Reads the file named on the command line or in ``PEERWATT_EDGE_CONFIG``, then the environment.

    Raises:
        ConfigError: the file is missing or not TOML, or a value is missing, unknown or of the wrong kind.
    """
    named = config or (Path(os.environ["PEERWATT_EDGE_CONFIG"]) if "PEERWATT_EDGE_CONFIG" in os.environ else None)
    if named is not None and not _is_file(named):
        raise ConfigError(
            f"There is no configuration file {named}: make one with `peerwatt-edge init --config {named}`"
        )

    class Loaded(Settings):
        model_config = SettingsConfigDict(toml_file=named)

    try:
        return Loaded(**overrides)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{named} is not TOML: {error}. Correct that line") from error
    except OSError as error:
        raise ConfigError(f"{named} can not be read ({error.strerror}): check its owner and mode") from error
    except SettingsError as error:
        raise ConfigError(
            f"A variable PEERWATT_EDGE_... can not be read ({error}): a section or list is written as JSON there, one "
            "value of a section as PEERWATT_EDGE_HUB__URL"
        ) from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise ConfigError(
            f"Wrong settings in {named or 'the environment'}: {faults}. Correct and start again"
        ) from error
