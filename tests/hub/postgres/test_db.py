"""An unavailable database is told from a fault of the hub."""

from typing import Any

import pytest

from hub.postgres.db import TRANSIENT_ERRORS, Pool

GOOD_BYE = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"


async def test_a_query_right_after_the_servers_good_bye_is_the_database_away(pool: Pool) -> None:
    """The server's last message was read, the connection's end not yet: asyncpg has an error of its own for that."""
    async with pool.acquire() as connection:
        inner: Any = connection
        protocol = inner._con._protocol
        protocol.data_received(b"E" + (len(GOOD_BYE) + 4).to_bytes(4, "big") + GOOD_BYE)
        with pytest.raises(TRANSIENT_ERRORS):
            await connection.fetchval("SELECT $1::int", 1)
        inner.terminate()
