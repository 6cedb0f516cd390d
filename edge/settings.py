"""The agent's settings: one TOML file (``--config``), and an environment variable for every value."""

import os
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from edge.errors import ConfigError
from edge.sections import Hub, Meter, Mqtt


class Settings(BaseSettings):
    """Everything the agent needs to know; the environment wins over the file."""

    model_config = SettingsConfigDict(env_prefix="PEERWATT_EDGE_", env_nested_delimiter="__", extra="forbid")

    gateway_id: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,31}$",
        description="The gateway's name as the hub knows it, such as `gw-north`: 1 to 32 of a-z, 0-9 and `-`, not "
        "beginning with `-`. A changed name needs a new enrolment.",
    )
    state_dir: Path = Field(
        description="Folder of this agent alone: keys, identity, ledger and the socket that `status` asks. `init` "
        "makes it with mode 0700. Put it on a disk that survives a power cut."
    )
    poll_period_s: int = Field(
        default=60,
        ge=1,
        le=900,
        description="Seconds between two readings of a Modbus meter, at whole multiples of it on the wall clock. Set "
        "the hub's `poll_period_s` to the same. Shorter tells more and loads the buses more: `explain-plan` shows the "
        "load, and above 80 % of a bus's time the agent does not start. An MQTT meter that is silent for five periods "
        "is lost.",
    )
    seal_interval_s: int = Field(
        default=5,
        ge=1,
        le=60,
        description="Seconds that a stored reading waits at most until it is signed and sent. Shorter shows it sooner, "
        "longer makes fewer and larger frames.",
    )
    interval_s: int = Field(
        default=900,
        ge=1,
        le=86_400,
        description="Seconds of an interval, a whole part of a day. Set it to the hub's `interval_s`: when every meter "
        "has been read at an interval's end, what waits is signed and sent at once, and the next heartbeat tells the "
        "hub that nothing of the interval is missing any more.",
    )
    heartbeat_s: int = Field(
        default=60,
        ge=1,
        le=600,
        description="Seconds between two heartbeats. Each tells the hub how the gateway does and which frames still "
        "lack a receipt; the hub answers with the receipts that got lost.",
    )
    keep_days: int = Field(
        default=30,
        ge=1,
        le=365,
        description="Days that a frame stays in the ledger after the hub's receipt, for `export`, `verify` and frames "
        "that the hub asks for again. Frames without a receipt stay whatever their age.",
    )
    max_ledger_mb: int = Field(
        default=512,
        ge=8,
        le=65536,
        description="Size of the ledger in MiB, looked at every hour. Above it the oldest frames go, those with a "
        "receipt first; a signed gap record says what was lost. Choose what holds the longest time that the hub may be "
        "away.",
    )
    backlog_frames_per_s: int = Field(
        default=50,
        ge=1,
        le=1000,
        description="The most frames per second that are sent again or late: after the hub was away, or when it asks. "
        "New frames are not limited. Lower it where the building's link is slow or shared.",
    )
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="Loopback port of the agent's Prometheus metrics. 0: none are served."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The log on stderr has lines of this level and above."
    )
    quantities: tuple[str, ...] = Field(
        default=("16.7.0",),
        max_length=16,
        description="OBIS codes (C.D.E) of what is read of Modbus meters beside the two energy registers, as far as "
        "their profile has them. The hub uses 16.7.0, active power, to show the power right now. Any other code takes "
        "time on the bus, and is signed and sent all the same. MQTT meters send what they send.",
    )
    hub: Hub = Field(description="Where the gateway enrols, and whom it trusts there.")
    mqtt: Mqtt | None = Field(
        default=None, description="The building's broker. Needed when one of the meters publishes over MQTT."
    )
    meter: tuple[Meter, ...] = Field(
        min_length=1, max_length=1000, description="The gateway's meters, one `[[meter]]` each."
    )

    @field_validator("interval_s")
    @classmethod
    def _part_of_a_day(cls, value: int) -> int:
        if 86_400 % value:
            raise ValueError(f"an interval of {value} s does not divide a day of 86400 s: use 900, for instance")
        return value

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
