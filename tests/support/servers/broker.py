"""A building's MQTT broker, as meters and the agent see it."""

from dataclasses import dataclass
from pathlib import Path

import aiomqtt


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
        return aiomqtt.Client("127.0.0.1", self.port, username=self.username, password=self.password)

    def settings(self, folder: Path) -> dict[str, str]:
        """Returns the agent's [mqtt] section; writes the password file that it names into ``folder``."""
        password_file = folder / "password"
        password_file.write_text(self.password)
        return {"url": self.url, "username": self.username, "password_file": str(password_file)}
