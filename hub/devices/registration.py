"""Registers gateways and their meters with the hub; a gateway's keys are enrolled after that (``enrolment``)."""

from datetime import UTC, datetime

from hub.devices import repository
from hub.devices.repository import MeterRegistration
from hub.postgres.db import Connection

NOT_IN_SERVICE = datetime(9000, 1, 1, tzinfo=UTC)
"""``expected_from`` of a meter that is registered but not in service yet."""


async def register_gateway(connection: Connection, gateway_id: str, building: str) -> None:
    """Registers a building's gateway; an existing one is not changed."""
    await repository.add_gateway(connection, gateway_id, building)


async def register_meter(connection: Connection, meter: MeterRegistration) -> None:
    """Registers a meter, for which no interval waits yet; an existing one is not changed."""
    await repository.add_meter(connection, meter, NOT_IN_SERVICE)


async def expect_meters(connection: Connection, since: datetime) -> None:
    """Puts all registered meters into service: intervals from ``since`` on wait for their readings."""
    await repository.expect_meters(connection, since, NOT_IN_SERVICE)
