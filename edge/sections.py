"""The sections of the agent's settings: hub, broker, and a meter."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

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
        "meter; `tasmota-energy`: a Tasmota plug or meter, whose export counts where it tells "
        "`ImportActive` beside `ExportActive`; `shelly-gen2`: a Shelly with three "
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
        "need more than 1.2 times as much is in doubt until others confirm it. Unset: what the profile says, for MQTT "
        "250,000 W.",
    )
    rollover_wh: int | None = Field(
        default=None,
        ge=1,
        le=2**63 - 1,
        description="Where the meter's registers begin again at 0, in Wh: 1,000,000,000 for a display of six digits of "
        "kWh. Set it where the meter's manual says so and its profile does not: otherwise such a fall is recorded as a "
        "reset, and the energy across it is estimated.",
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
