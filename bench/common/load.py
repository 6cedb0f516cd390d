"""Makes gateways and their sealed frames before anything is measured, and the file that the publisher reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgpack

from edge.wire.kinds import MeterDeclared
from hub.ingest import repository
from hub.ingest.rows import DeclarationRow
from hub.postgres.db import Pool
from support.rows.gateways import SealingGateway

METERS_PER_GATEWAY = 15


@dataclass(frozen=True)
class Load:
    """Frames of several gateways in turn, with ``readings`` in each frame."""

    gateways: Sequence[SealingGateway]
    frames: Sequence[tuple[int, int, str, bytes]]
    """(index of the gateway, sequence, message id, bytes)"""
    readings: int

    def save(self, file: Path, frames: int) -> None:
        """Writes the first ``frames`` frames for the publisher."""
        gateway_ids = [gateway.gateway_id for gateway in self.gateways]
        file.write_bytes(msgpack.packb([gateway_ids, self.frames[:frames]]))


def make_gateways(count: int) -> list[SealingGateway]:
    """Makes gateways with fifteen meters each."""
    first_meters = [1 + number * METERS_PER_GATEWAY for number in range(count)]
    return [
        SealingGateway(f"gw-{first}", [f"METER_{meter:05}" for meter in range(first, first + METERS_PER_GATEWAY)])
        for first in first_meters
    ]


def make_load(gateways: Sequence[SealingGateway], frames: int, readings: int) -> Load:
    """Makes ``frames`` signed frames in all, each with ``readings`` new readings."""
    sealed = []
    for number in range(frames):
        index, turn = number % len(gateways), number // len(gateways)
        gateway = gateways[index]
        frame = gateway.seal([gateway.reading(turn * readings + offset) for offset in range(readings)])
        sealed.append((index, gateway.sequence, frame.header_hash.hex(), frame.encode()))
    return Load(gateways, sealed, readings)


async def register(pool: Pool, gateways: Sequence[SealingGateway]) -> None:
    """Stores gateways, keys, meters and the declarations of their indexes; usually they are older than the frames."""
    for gateway in gateways:
        async with pool.acquire() as connection, connection.transaction():
            await gateway.register(connection)
            declarations = [record for record in gateway.declarations() if isinstance(record, MeterDeclared)]
            rows = [
                DeclarationRow(
                    gateway.gateway_id, gateway.boot_id, record.meter_index, record.meter_id, record.serial,
                    record.profile, record.profile_hash,
                )
                for record in declarations
            ]  # fmt: skip
            await repository.insert_declarations(connection, rows)
