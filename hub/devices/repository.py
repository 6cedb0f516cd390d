"""Rows of gateways, meters, gateway keys and enrolment tokens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.chain.instructions.registry import MeterKind
from hub.postgres.db import Connection


@dataclass(frozen=True)
class Token:
    """The row of an enrolment token, locked until the transaction ends."""

    gateway_id: str
    expires_at: datetime
    request_hash: bytes | None
    answer: dict[str, Any] | None


@dataclass(frozen=True)
class MeterRegistration:
    """A meter to register: its participant, its gateway, and its rated power, the most that it may import or export."""

    meter_id: str
    gateway_id: str
    participant_id: UUID
    kind: MeterKind
    rated_power_w: int
    serial: str
    building: str


async def add_gateway(connection: Connection, gateway_id: str, building: str) -> None:
    """Adds a gateway unless it exists."""
    await connection.execute(
        "INSERT INTO gateways (gateway_id, building) VALUES ($1, $2) ON CONFLICT DO NOTHING", gateway_id, building
    )


async def add_meter(connection: Connection, meter: MeterRegistration, expected_from: datetime) -> None:
    """Adds a meter, expected to report from a time on, unless it exists."""
    await connection.execute(
        """
        INSERT INTO meters (meter_id, gateway_id, participant_id, kind, rated_power_w, serial, building, expected_from)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING
        """,
        meter.meter_id, meter.gateway_id, meter.participant_id, meter.kind, meter.rated_power_w, meter.serial,
        meter.building, expected_from,
    )  # fmt: skip


async def expect_meters(connection: Connection, since: datetime, instead_of: datetime) -> None:
    """Sets ``expected_from`` to ``since`` on meters where it is ``instead_of``."""
    await connection.execute("UPDATE meters SET expected_from = $1 WHERE expected_from = $2", since, instead_of)


async def active_key(connection: Connection, gateway_id: str) -> bytes | None:
    """Returns the active public key (32 bytes) of a gateway, or None."""
    key = await connection.fetchval(
        "SELECT public_key FROM gateway_keys WHERE gateway_id = $1 AND status = 'active'", gateway_id
    )
    return None if key is None else bytes(key)


async def gateway_exists(connection: Connection, gateway_id: str) -> bool:
    """Returns whether the gateway is registered."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM gateways WHERE gateway_id = $1)", gateway_id))


async def add_token(
    connection: Connection, token_hash: bytes, gateway_id: str, issued_at: datetime, expires_at: datetime
) -> None:
    """Stores the hash of a new token."""
    await connection.execute(
        "INSERT INTO enrolment_tokens (token_hash, gateway_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)",
        token_hash,
        gateway_id,
        issued_at,
        expires_at,
    )


async def lock_token(connection: Connection, token_hash: bytes, gateway_id: str) -> Token | None:
    """Locks and returns a gateway's token; locks the gateway too, so that two first keys can not both be active."""
    row = await connection.fetchrow(
        """
        SELECT t.gateway_id, t.expires_at, t.request_hash, t.answer
        FROM enrolment_tokens t JOIN gateways g USING (gateway_id)
        WHERE t.token_hash = $1 AND t.gateway_id = $2 FOR UPDATE
        """,
        token_hash,
        gateway_id,
    )
    return None if row is None else Token(**dict(row))


async def use_token(
    connection: Connection, token_hash: bytes, request_hash: bytes, answer: dict[str, Any], at: datetime
) -> None:
    """Marks the token as used, with the keys that it enrolled and the answer to them."""
    await connection.execute(
        """
        UPDATE enrolment_tokens SET used_at = coalesce(used_at, $4), request_hash = $2, answer = $3
        WHERE token_hash = $1
        """,
        token_hash,
        request_hash,
        answer,
        at,
    )


async def add_key(
    connection: Connection, gateway_id: str, key_id: bytes, public_key: bytes, nats_public_key: str, at: datetime
) -> str:
    """Adds a key, active if it is the gateway's first; a known key keeps its status, and its NATS key is replaced.

    Returns the status. The gateway's row must be locked.
    """
    status: str = await connection.fetchval(
        """
        INSERT INTO gateway_keys (gateway_id, key_id, public_key, nats_public_key, status, valid_from)
        SELECT $1, $2, $3, $4,
            CASE WHEN EXISTS (SELECT FROM gateway_keys WHERE gateway_id = $1) THEN 'pending' ELSE 'active' END, $5
        ON CONFLICT (gateway_id, key_id) DO UPDATE SET nats_public_key = excluded.nats_public_key
        RETURNING status
        """,
        gateway_id,
        key_id,
        public_key,
        nats_public_key,
        at,
    )
    return status


async def lock_key(connection: Connection, gateway_id: str, key_id: bytes) -> str | None:
    """Locks the gateway's keys and returns the status of one, None when there is no such key."""
    rows = await connection.fetch(
        "SELECT key_id, status FROM gateway_keys WHERE gateway_id = $1 ORDER BY key_id FOR UPDATE", gateway_id
    )
    return next((row["status"] for row in rows if row["key_id"] == key_id), None)


async def activate_key(connection: Connection, gateway_id: str, key_id: bytes, at: datetime) -> list[bytes]:
    """Makes this the gateway's only active key; returns the ids of the keys that it retired."""
    retired = await connection.fetch(
        """
        UPDATE gateway_keys SET status = 'retired', valid_until = $3
        WHERE gateway_id = $1 AND status = 'active' AND key_id <> $2 RETURNING key_id
        """,
        gateway_id,
        key_id,
        at,
    )
    await connection.execute(
        "UPDATE gateway_keys SET status = 'active' WHERE gateway_id = $1 AND key_id = $2", gateway_id, key_id
    )
    return [row["key_id"] for row in retired]


async def revoke_key(connection: Connection, gateway_id: str, key_id: bytes, at: datetime) -> None:
    """Revokes a key: frames that it signed and that are not stored yet are refused too."""
    await connection.execute(
        """
        UPDATE gateway_keys SET status = 'revoked', valid_until = least(valid_until, $3)
        WHERE gateway_id = $1 AND key_id = $2 AND status <> 'revoked'
        """,
        gateway_id,
        key_id,
        at,
    )
