"""The hub's settings: one TOML file (``--config``, ``PEERWATT_HUB_CONFIG``), an environment twin for every value."""

import argparse
import os
import tomllib
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from hub.errors import ConfigError


class Settings(BaseSettings):
    """Everything a hub process needs to know; the environment wins over the file."""

    model_config = SettingsConfigDict(env_prefix="PEERWATT_HUB_", extra="forbid")

    state_dir: Path = Field(description="Folder (0700) for keys and the embedded parts' data")
    database_url: SecretStr = Field(description="PostgreSQL 18, postgresql://user:password@host:port/name")
    nats_url: str = "tls://127.0.0.1:4222"
    nats_ca_file: Path | None = None
    nats_creds_file: Path | None = Field(default=None, description="The hub's own NATS credentials")
    rpc_url: str = "http://127.0.0.1:8899"
    more_rpc_urls: list[str] = Field(
        default_factory=list, max_length=4,
        description="Other nodes of the same chain: only what two of two, or two of three, call final is final",
    )  # fmt: skip

    site_name: str = "Peerwatt campus"
    site_timezone: str = "Europe/Zurich"
    currency: str = "CHF"
    sun_offset_s: int = Field(default=0, description="Site time minus wall time; not zero in the demo only")
    demo: bool = Field(default=False, description="Keys and wallets were made by `peerwatt-hub demo`")

    interval_s: int = Field(default=900, ge=30, le=3600)
    poll_period_s: int = Field(default=60, ge=1, le=900)
    attest_grace_s: int = Field(default=120, ge=0, le=3600)

    priority_fee_micro_lamports: int = Field(
        default=0, ge=0, le=1_000_000, description="Per compute unit, on top of the fee; the embedded ledger takes none"
    )
    """At most 1.4 million units a transaction: the cap keeps one below 0.0014 SOL."""
    priority_fee_cap_micro_lamports: int | None = Field(
        default=None, ge=0, le=1_000_000, description="Offers what others paid lately, up to this; unset = never more"
    )

    web_host: str = "127.0.0.1"
    web_port: int = 8080
    device_host: str = "127.0.0.1"
    device_port: int = 8443
    device_tls_cert: Path | None = None
    device_tls_key: Path | None = None
    public_origin: str = "http://127.0.0.1:8080"
    """The origin of the web app: CORS, cookies and the Origin check compare with it exactly."""
    web_socket_fd: int | None = Field(default=None, description="A listening socket that `serve` inherits; or none")
    device_socket_fd: int | None = Field(default=None, description="The same for the gateways' TLS listener")
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="Loopback port of the worker's Prometheus metrics; 0 = off"
    )

    truth_file: Path | None = Field(default=None, description="The demo's log of served registers, for trace")

    @property
    def keys_dir(self) -> Path:
        return self.state_dir / "keys"

    @property
    def rpc_urls(self) -> list[str]:
        """Of all nodes, the one that reads come from first."""
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
    """Reads the file named on the command line or in ``PEERWATT_HUB_CONFIG``, then the environment.

    Raises:
        ConfigError: the file is missing or not TOML, or a value is missing, unknown or of the wrong kind.
    """
    named = config or (Path(os.environ["PEERWATT_HUB_CONFIG"]) if "PEERWATT_HUB_CONFIG" in os.environ else None)
    if named is not None and not named.is_file():
        raise ConfigError(f"There is no configuration file {named}: name one with --config or PEERWATT_HUB_CONFIG")

    class Loaded(Settings):
        model_config = SettingsConfigDict(toml_file=named)

    try:
        return Loaded(**overrides)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{named} is not TOML: {error}. Correct that line") from error
    except OSError as error:
        raise ConfigError(f"{named} can not be read ({error.strerror}): check its owner and mode") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(
            f"Wrong settings in {named or 'the environment'}: {faults}. Correct and start again"
            + ("" if named else ", or name a file with --config")
        ) from error


def add_config_argument(parser: argparse.ArgumentParser) -> None:
    """The flag that every command with settings has."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="TOML file with the settings (env: PEERWATT_HUB_CONFIG)"
    )


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    """The flag of every command whose result a script may want."""
    parser.add_argument(
        "--json",
        action="store_true",
        default=os.environ.get("PEERWATT_HUB_JSON") == "1",
        help="one JSON object on stdout (env: PEERWATT_HUB_JSON=1)",
    )
