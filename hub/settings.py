"""The hub's settings: one TOML file (``--config``, ``PEERWATT_HUB_CONFIG``), and an environment variable for each."""

import argparse
import os
import tomllib
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from hub.errors import ConfigError


class Settings(BaseSettings):
    """All settings of a hub process; the environment overrides the file."""

    model_config = SettingsConfigDict(env_prefix="PEERWATT_HUB_", extra="forbid")

    state_dir: Path = Field(
        description="Folder of this hub alone, mode 0700: `keys/` with one file for each key that signs, and the "
        "identity that NATS knows the hub by. Back it up and let nobody else read it."
    )
    database_url: SecretStr = Field(
        description="PostgreSQL 18, `postgresql://user:password@host:port/name`. `migrate` makes the tables."
    )
    nats_url: str = Field(
        default="tls://127.0.0.1:4222",
        description="The hub's NATS, `tls://host:port`. Gateways are told this address when they enrol: name it as "
        "they reach it.",
    )
    nats_ca_file: Path | None = Field(
        default=None,
        description="PEM file with the certificate of the hub's own CA, with which the hub checks its NATS server. "
        "Gateways get a copy when they enrol. `worker`, `doctor` and the enrolment of gateways need it.",
    )
    nats_creds_file: Path | None = Field(
        default=None, description="The hub's own NATS credentials, a `.creds` file. `worker` and `doctor` need it."
    )
    rpc_url: str = Field(
        default="http://127.0.0.1:8899",
        description="The Solana RPC node that reads come from first, `http://` or `https://`. The default is where "
        "`peerwatt-hub ledger` listens.",
    )
    more_rpc_urls: list[str] = Field(
        default_factory=list,
        max_length=4,
        description="Other nodes of the same chain, best of other operators. Only what more than half of all nodes "
        "call final is final: two of two, two of three. None: the one node's word is enough.",
    )

    site_name: str = Field(default="Peerwatt campus", description="The site's name, as the pages show it.")
    site_timezone: str = Field(
        default="Europe/Zurich",
        description="Time zone of the site, by its IANA name: pages show times in it, and a day begins at its "
        "midnight.",
    )
    currency: str = Field(
        default="CHF",
        description="What money is shown in, an ISO 4217 code. All amounts are of this currency; none is converted.",
    )
    site_latitude: float | None = Field(
        default=None,
        ge=-90,
        le=90,
        description="Where the site is, in degrees, positive to the north. With it and `site_longitude` the oracle "
        "knows when the sun shines: what a generator exports at night is not traded.",
    )
    site_longitude: float | None = Field(
        default=None, ge=-180, le=180, description="Where the site is, in degrees, positive to the east."
    )
    sun_offset_s: int = Field(
        default=0,
        description="Seconds from the time of day to the time that pages show at the site, and that its sun keeps. "
        "Other than 0 in the demo only.",
    )
    demo: bool = Field(
        default=False,
        description="`true` for what `peerwatt-hub demo` runs: keys that the demo made are taken, and the API says "
        "that this is a demo. Otherwise such keys are refused.",
    )

    interval_s: int = Field(
        default=900,
        ge=30,
        le=3600,
        description="Seconds of an interval, the time over which energy is traded and settled. It is the one that the "
        "chain was founded with (`chain deploy --interval-s`), divides a day, and can not be changed later.",
    )
    poll_period_s: int = Field(
        default=60,
        ge=1,
        le=900,
        description="Seconds between two readings of a meter: the `poll_period_s` of the gateways, the longest where "
        "they differ. Energy between readings further apart than two periods counts as estimated, and a power older "
        "than three is shown as old.",
    )
    attest_grace_s: int = Field(
        default=120,
        ge=0,
        le=3600,
        description="Seconds after an interval's end that missing readings are waited for at least. An interval whose "
        "meters are all in, or whose gateways say that they have nothing left to send, is attested at once. A gateway "
        "that is connected and still sends is waited for up to an hour.",
    )
    heartbeat_s: int = Field(
        default=60,
        ge=1,
        le=600,
        description="Seconds between two heartbeats of a gateway: the `heartbeat_s` of the gateways, the longest where "
        "they differ. A gateway is offline when three are missing.",
    )

    priority_fee_micro_lamports: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Priority fee that every transaction offers, in millionths of a lamport per compute unit. A "
        "transaction has at most 1.4 million units, so that it costs at most 0.0014 SOL more. The embedded ledger "
        "takes none: 0.",
    )
    priority_fee_cap_micro_lamports: int | None = Field(
        default=None,
        ge=0,
        le=1_000_000,
        description="Set on a busy chain: then the fee follows what others paid lately, from "
        "`priority_fee_micro_lamports` up to this, in the same unit. Unset: it never rises.",
    )

    web_host: str = Field(
        default="127.0.0.1",
        description="Address that `serve` listens on for the web app and the API, in plain HTTP. Leave it on loopback "
        "behind a proxy that speaks TLS.",
    )
    web_port: int = Field(
        default=8080,
        description="Port of the web app and the API. 0: a free one, which `serve` prints when it is ready.",
    )
    device_host: str = Field(
        default="127.0.0.1",
        description="Address that `serve` listens on for gateways that enrol, with TLS: one that the gateways reach.",
    )
    device_port: int = Field(default=8443, description="Port for gateways that enrol; their `hub.url` names it.")
    device_tls_cert: Path | None = Field(
        default=None,
        description="PEM file with the certificate that gateways are shown, issued by the hub's own CA for the name in "
        "their `hub.url`. Unset: the listener stays shut and no gateway can enrol.",
    )
    device_tls_key: Path | None = Field(
        default=None, description="PEM file with that certificate's key. Unset: the key is in the certificate's file."
    )
    public_origin: str = Field(
        default="http://127.0.0.1:8080",
        description="Where people open the web app: scheme, host and port as the browser shows them, without a path. "
        "Pages of any other origin can not sign in. With `https://` browsers are told to use TLS only.",
    )
    web_socket_fd: int | None = Field(
        default=None,
        description="Number of a listening socket that `serve` inherits, in the place of `web_host` and `web_port`. "
        "Unset: it opens one.",
    )
    device_socket_fd: int | None = Field(
        default=None, description="The same in the place of `device_host` and `device_port`."
    )
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Loopback port of the worker's Prometheus metrics; `doctor` asks there too. 0: none are served.",
    )

    truth_file: Path | None = Field(
        default=None,
        description="The simulator's log of served registers (`peerwatt-sim run --truth`), from which `trace` takes "
        "its first hop. For the demo and tests.",
    )

    @property
    def keys_dir(self) -> Path:
        return self.state_dir / "keys"

    @property
    def rpc_urls(self) -> list[str]:
        """The URLs of all nodes; reads come from the first."""
        return [self.rpc_url, *self.more_rpc_urls]

    @model_validator(mode="after")
    def _nodes_differ(self) -> Self:
        if len(set(self.rpc_urls)) < len(self.rpc_urls):
            raise ValueError("more_rpc_urls names a node twice: one node's word twice is no quorum")
        return self

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


def load_settings(config: Path | None = None, **overrides: Any) -> Settings:
    """Reads the file ``config``, or the one that ``PEERWATT_HUB_CONFIG`` names, then the environment.

    Raises:
        ConfigError: the file is missing or not TOML, or a value is missing, unknown or of the wrong kind.
    """
    file = config or (Path(os.environ["PEERWATT_HUB_CONFIG"]) if "PEERWATT_HUB_CONFIG" in os.environ else None)
    if file is not None and not file.is_file():
        raise ConfigError(f"There is no configuration file {file}: name one with --config or PEERWATT_HUB_CONFIG")

    class Loaded(Settings):
        model_config = SettingsConfigDict(toml_file=file)

    try:
        return Loaded(**overrides)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not TOML: {error}. Correct that line") from error
    except OSError as error:
        raise ConfigError(f"{file} can not be read ({error.strerror}): check its owner and mode") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ConfigError(
            f"Wrong settings in {file or 'the environment'}: {faults}. Correct and start again"
            + ("" if file else ", or name a file with --config")
        ) from error


def add_config_argument(parser: argparse.ArgumentParser) -> None:
    """Adds ``--config``, which every command with settings has."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="TOML file with the settings (env: PEERWATT_HUB_CONFIG; without it the environment alone counts)",
    )


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    """Adds ``--json``, for commands whose result a script may read."""
    parser.add_argument(
        "--json",
        action="store_true",
        default=os.environ.get("PEERWATT_HUB_JSON") == "1",
        help="one JSON object on stdout, also of an error (env: PEERWATT_HUB_JSON=1)",
    )
