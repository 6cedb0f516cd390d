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

    url: Url = Field(
        pattern=r"^https://[^/\s]+/?$",
        description="The hub's device listener, `https://host:port` (without a port: 443). `enroll` asks there.",
    )
    ca_file: Path = Field(
        description="PEM file with the certificate of the hub's own CA. No other CA is trusted for `url`."
    )
    nats_url: Url | None = Field(
        default=None,
        pattern=r"^tls://[^/\s]+$",
        description="The hub's NATS, `tls://host:port`. Needed only when it has moved since `enroll`: without it the "
        "agent uses the address that the hub gave it then.",
    )


class Mqtt(_Part):
    """The building's broker."""

    url: Url = Field(
        pattern=MQTT_URL,
        description="`mqtt://host:port`, or `mqtts://host:port` for TLS. Without a port it is 1883, with TLS 8883.",
    )
    username: str | None = Field(default=None, description="The agent's name at the broker. Unset: it gives none.")
    password_file: Path | None = Field(
        default=None,
        description="File with the password at the broker and nothing else; space around it is ignored. It is read at "
        "start.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="For `mqtts`: PEM file with the certificate of the broker's CA. Unset: the machine's own CAs "
        "count.",
    )


class Meter(_Part):
    """One meter: a profile and a URL (Modbus), or a dialect and a topic (MQTT)."""

    id: str = Field(
        pattern=r"^[A-Z0-9_]{1,32}$",
        description="The meter's name as the hub knows it, such as `METER_001`: 1 to 32 of A-Z, 0-9 and `_`.",
    )
    profile: str | None = Field(
        default=None,
        description="Modbus: the register map of this kind of meter, by the name of a file in `edge/meters/profiles`, "
        "such as `sdm630`.",
    )
    url: str | None = Field(
        default=None,
        description="Modbus: where the meter is. `tcp://host:502?device=1`; "
        "`rtu:///dev/ttyUSB0?baud=9600&parity=N&stopbits=1&device=3` for a serial line; "
        "`rtutcp://host:4001?device=1&baud=9600` for RTU frames over TCP. The values shown (device 1, port 502, "
        "`parity` N, E or O) hold where a part is left out. Meters on one line or at one host and port are read one "
        "after the other.",
    )
    dialect: Literal["tasmota-sml", "tasmota-energy", "shelly-gen2"] | None = Field(
        default=None,
        description="MQTT: whose messages the meter publishes. `tasmota-sml`: Tasmota with an infrared head on an SML "
        "meter; `tasmota-energy`: a Tasmota plug, which measures import only; `shelly-gen2`: a Shelly with three "
        "phases. Set the clock of a Tasmota device to UTC.",
    )
    topic: str | None = Field(
        default=None,
        pattern=r"^[^+#\s]{1,200}$",
        description="MQTT: the topic of its readings, such as `tele/METER_011/SENSOR`, without wildcards.",
    )
    rated_power_w: int | None = Field(
        default=None,
        ge=1,
        le=100_000_000,
        description="The most power in W that can flow through the meter, in either direction. A reading that would "
        "need more than twice as much is taken for misread and not recorded. Unset: what the profile says, for MQTT "
        "250,000 W.",
    )

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
