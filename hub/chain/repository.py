"""The SQL of the chain that a database belongs to."""

from datetime import datetime

from hub.postgres.db import Connection


async def known_genesis(connection: Connection) -> bytes | None:
    """The genesis hash of the chain that this hub settles on; None before its first use."""
    found = await connection.fetchval("SELECT genesis_hash FROM known_chain")
    return None if found is None else bytes(found)


async def remember_genesis(connection: Connection, genesis_hash: bytes, at: datetime) -> None:
    """Keeps the first one; what another process was faster with stays."""
    await connection.execute(
        "INSERT INTO known_chain (genesis_hash, seen_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", genesis_hash, at
    )
