"""Servers that the agent's tests share: the hub's NATS and a building's broker, real ones, started once."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.embedded.processes import free_port
from support.servers.background import Background
from support.servers.broker import BuildingBroker, run_broker
from support.servers.nats import HubNats, run_hub_nats


@pytest.fixture(scope="session")
def hub_nats(background: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubNats]:
    """The hub's NATS with rights, TLS and the stream of frames."""
    with background.entered(run_hub_nats(tmp_path_factory.mktemp("hub-nats"))) as running:
        yield running


@pytest.fixture(scope="session")
def broker(background: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuildingBroker]:
    """A building's MQTT broker."""
    folder: Path = tmp_path_factory.mktemp("broker")
    building = BuildingBroker(free_port(), "gateway", secrets.token_hex(8))
    with background.entered(run_broker(folder, building)):
        yield building


@pytest.fixture
def hub_ca(hub_nats: HubNats) -> Path:
    """The hub's CA."""
    return hub_nats.ca_file
