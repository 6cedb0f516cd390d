"""Gateways that seal frames as the agent does, and their rows in the hub's database."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid5

from nacl.signing import SigningKey

from edge.wire import keys
from edge.wire.frames import NO_PREVIOUS, Frame, seal
from edge.wire.kinds import MeterDeclared, Reading, Record
from edge.wire.quantities import ACTIVE_POWER
from edge.wire.records import encode_record
from hub.postgres.db import Connection, Pool

OWNER = UUID("6f0b52a4-6f7e-4a10-9d1c-2f8f6d0e6c11")
START_S = 1_780_000_000
PERIOD_S = 10


@dataclass
class SealingGateway:
    """One boot of a gateway: its key, its meters by index, and its chain of frames."""

    gateway_id: str
    meters: Sequence[str] = ("METER_001", "METER_002")
    key: SigningKey = field(default_factory=SigningKey.generate)
    boot_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    sequence: int = 0
    previous_hash: bytes = NO_PREVIOUS

    def seal(self, records: Sequence[Record], *, sequence: int | None = None) -> Frame:
        """Seals the next frame of the chain; a frame with a given sequence does not become part of the chain.

        It is sealed 10 s after the one before, or a second after its newest reading when that is later.
        """
        frame_sequence = sequence if sequence is not None else self.sequence + 1
        read_ms = [r.slot_s * 1000 + r.read_offset_ms for r in records if isinstance(r, Reading)]
        frame = seal(
            signing_key=self.key,
            records=[encode_record(record) for record in records],
            gateway_id=self.gateway_id,
            boot_id=self.boot_id,
            sequence=frame_sequence,
            previous_hash=self.previous_hash,
            sealed_at_ms=max([(START_S + frame_sequence * PERIOD_S) * 1000, *(ms + 1000 for ms in read_ms)]),
        )
        if sequence is None:
            self.sequence, self.previous_hash = frame_sequence, frame.header_hash
        return frame

    def declarations(self) -> list[Record]:
        return [declaration(index, meter_id) for index, meter_id in enumerate(self.meters)]

    def frames(self, count: int, *, readings: int = 6) -> list[Frame]:
        """Seals a frame with every meter's declaration, then ``count`` frames with readings of the meters in turn."""
        frames = [self.seal(self.declarations())]
        for number in range(count):
            slots = range(number * readings, (number + 1) * readings)
            frames.append(self.seal([self.reading(slot) for slot in slots]))
        return frames

    def reading(self, number: int, **changes: Any) -> Reading:
        """Returns reading ``number`` of a sequence over all meters and slots; ``changes`` replace fields."""
        index, slot = number % len(self.meters), number // len(self.meters)
        return reading(index, slot, **changes)

    async def register(self, connection: Connection | Pool, *, meters: bool = True, status: str = "active") -> None:
        """Inserts gateway, key and meters, as if the gateway were enrolled and the meters assigned."""
        public = bytes(self.key.verify_key)
        await connection.execute(
            "INSERT INTO gateways (gateway_id, building) VALUES ($1, 'North') ON CONFLICT DO NOTHING", self.gateway_id
        )
        await connection.execute(
            """
            INSERT INTO gateway_keys (gateway_id, key_id, public_key, nats_public_key, status)
            VALUES ($1, $2, $3, 'U', $4)
            """,
            self.gateway_id,
            keys.key_id(public),
            public,
            status,
        )
        for meter_id in self.meters if meters else ():
            await assign(connection, meter_id, self.gateway_id)


def owner_of(meter_id: str) -> UUID:
    """Returns the participant of a meter; every meter has its own."""
    return uuid5(OWNER, meter_id)


async def assign(connection: Connection | Pool, meter_id: str, gateway_id: str) -> None:
    """Inserts a meter of this gateway, and its owner."""
    await connection.execute(
        "INSERT INTO participants (participant_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        owner_of(meter_id),
        meter_id,
    )
    await connection.execute(
        """
        INSERT INTO meters (meter_id, gateway_id, participant_id, kind, rated_power_w, serial, building)
        VALUES ($1, $2, $3, 'bidirectional', 10000, 'serial', 'North')
        """,
        meter_id,
        gateway_id,
        owner_of(meter_id),
    )


def declaration(index: int, meter_id: str, serial: str | None = None) -> MeterDeclared:
    """Returns the record that declares a meter index."""
    return MeterDeclared(
        meter_index=index,
        at_s=START_S,
        meter_id=meter_id,
        serial=serial or f"sn-{index}",
        profile="sdm630",
        profile_hash=bytes(32),
    )


def reading(index: int, slot: int, **changes: Any) -> Reading:
    """Returns a reading of a meter that imports 3 Wh and exports 1 Wh a slot; ``changes`` replace fields."""
    unchanged = Reading(
        meter_index=index,
        sequence=slot,
        slot_s=START_S + slot * PERIOD_S,
        read_offset_ms=120,
        time_quality="S",
        meter_state="G",
        flags=0,
        import_wh=1000 + 3 * slot,
        export_wh=500 + slot,
        quantities=((ACTIVE_POWER, 1080, 0),),
    )
    return replace(unchanged, **changes)
