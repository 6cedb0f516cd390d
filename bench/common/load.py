"""Gateways with sealed frames, made before any clock runs; the file that the publishing process reads them from."""

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
    """Frames of several gateways in turn; ``readings`` in each frame."""

    gateways: Sequence[SealingGateway]
    frames: Sequence[tuple[int, int, str, bytes]]
    """(index of the gateway, sequence, message id, bytes)"""
    readings: int

    def save(self, file: Path, frames: int) -> None:
        """The first so many frames, for the publishing process."""
        names = [gateway.gateway_id for gateway in self.gateways]
        file.write_bytes(msgpack.packb([names, self.frames[:frames]]))


def known_gateways(count: int) -> list[SealingGateway]:
    """Gateways with fifteen meters each."""
    first = [1 + number * METERS_PER_GATEWAY for number in range(count)]
    return [
        SealingGateway(f"gw-{at}", [f"METER_{meter:05}" for meter in range(at, at + METERS_PER_GATEWAY)])
        for at in first
    ]


def sealed(gateways: Sequence[SealingGateway], frames: int, readings: int) -> Load:
    """So many signed frames in all, each with new readings."""
    made = []
    for number in range(frames):
        index, turn = number % len(gateways), number // len(gateways)
        gateway = gateways[index]
        frame = gateway.seal([gateway.reading(turn * readings + at) for at in range(readings)])
        made.append((index, gateway.sequence, frame.header_hash.hex(), frame.encode()))
    return Load(gateways, made, readings)


async def register(pool: Pool, gateways: Sequence[SealingGateway]) -> None:
    """Gateways, keys, meters and what their indexes mean: known before the first frame comes, as on any usual day."""
    for gateway in gateways:
        async with pool.acquire() as connection, connection.transaction():
            await gateway.register(connection)
            declared = [one for one in gateway.declarations() if isinstance(one, MeterDeclared)]
            rows = [
                DeclarationRow(
                    gateway.gateway_id, gateway.boot_id, one.meter_index, one.meter_id, one.serial, one.profile,
                    one.profile_hash,
                )
                for one in declared
            ]  # fmt: skip
            await repository.insert_declarations(connection, rows)
