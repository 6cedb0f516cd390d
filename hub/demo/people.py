"""Writes the demo's campus to the database: participants with wallets, users, gateways and meters."""

from collections.abc import Mapping
from typing import Any

from solders.keypair import Keypair

from hub.accounts.service import create_participant, create_user
from hub.demo.site import BUILDINGS, PEOPLE, person
from hub.devices.registration import register_gateway, register_meter
from hub.devices.repository import MeterRegistration
from hub.postgres.db import Pool


async def seed_people(pool: Pool, wallets: Mapping[str, Keypair], password: str, meters: Mapping[str, Any]) -> None:
    """Writes what is missing, in one transaction; ``meters`` are those of `peerwatt-sim site`, by id."""
    async with pool.acquire() as connection, connection.transaction():
        for each in PEOPLE:
            participant_id = each.participant_id if each.participates else None
            if participant_id is not None:
                wallet = wallets.get(each.email)
                address = None if wallet is None else str(wallet.pubkey())
                await create_participant(connection, each.name, wallet=address, participant_id=participant_id)
            await create_user(
                connection, each.email, each.name, password, each.role,
                affiliation=each.affiliation, participant_id=participant_id,
            )  # fmt: skip
        for building in BUILDINGS:
            await register_gateway(connection, building.gateway_id, building.name)
            for meter in building.meters:
                owner, serial = person(meter.owner).participant_id, meters[meter.meter_id]["serial"]
                await register_meter(
                    connection,
                    MeterRegistration(
                        meter.meter_id, building.gateway_id, owner, meter.kind, meter.rated_power_w, serial,
                        building.name,
                    ),
                )  # fmt: skip
