"""Registers gateways and their meters with the hub; enrolment of a gateway's keys comes after it (``enrolment``)."""

from datetime import UTC, datetime

from hub.devices import repository
from hub.devices.repository import MeterRegistration
from hub.postgres.db import Connection

NOT_YET = datetime(9000, 1, 1, tzinfo=UTC)
"""From when a meter is expected to report that was registered and not put into service."""


async def register_gateway(connection: Connection, gateway_id: str, building: str) -> None:
    """Registers a building's gateway; one that is registered stays as it is."""
    await repository.add_gateway(connection, gateway_id, building)


async def register_meter(connection: Connection, meter: MeterRegistration) -> None:
    """Registers a meter, which no interval waits for yet; one that is registered stays as it is."""
    await repository.add_meter(connection, meter, NOT_YET)


async def expect_meters(connection: Connection, since: datetime) -> None:
    """Lets intervals from this moment on wait for every meter that was registered and not expected yet."""
    await repository.expect_meters(connection, since, NOT_YET)
