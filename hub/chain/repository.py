"""Reads and stores the genesis hash of the chain that a database belongs to."""

from datetime import datetime

from hub.postgres.db import Connection


async def known_genesis(connection: Connection) -> bytes | None:
    """Returns the 32-byte genesis hash of the chain that this hub settles on; None before the first connection."""
    genesis_hash = await connection.fetchval("SELECT genesis_hash FROM known_chain")
    return None if genesis_hash is None else bytes(genesis_hash)


async def remember_genesis(connection: Connection, genesis_hash: bytes, at: datetime) -> None:
    """Stores the genesis hash, unless another process has stored one already."""
    await connection.execute(
        "INSERT INTO known_chain (genesis_hash, seen_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", genesis_hash, at
    )
