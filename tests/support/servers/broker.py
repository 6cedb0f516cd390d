"""A building's MQTT broker, as meters and the agent see it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiomqtt

from hub.embedded.nats_server import broker_config, run_nats
from hub.embedded.processes import free_port
from support.waiting import PATIENCE_S


@dataclass(frozen=True)
class BuildingBroker:
    """A broker that runs on this machine."""

    port: int
    username: str
    password: str

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def client(self) -> aiomqtt.Client:
        """Returns a client with the broker's only account."""
        return aiomqtt.Client(
            "127.0.0.1", self.port, username=self.username, password=self.password, timeout=PATIENCE_S
        )

    def settings(self, folder: Path) -> dict[str, str]:
        """Returns the agent's [mqtt] section; writes the password file that it names into ``folder``."""
        password_file = folder / "password"
        password_file.write_text(self.password)
        return {"url": self.url, "username": self.username, "password_file": str(password_file)}


@contextlib.asynccontextmanager
async def run_broker(folder: Path, building: BuildingBroker) -> AsyncIterator[BuildingBroker]:
    """Runs this broker, with what it keeps in ``folder``."""
    config = broker_config(
        folder / "data",
        port=free_port(),
        mqtt_port=building.port,
        username=building.username,
        password=building.password,
    )
    async with run_nats(folder, config, name="broker"):
        yield building
