"""The embedded PostgreSQL: version, durability settings, migrations and leases on a real server."""

import pytest

from hub.postgres import db, lease


async def test_schema_is_migrated_on_postgresql_18(pool: db.Pool) -> None:
    assert await pool.fetchval("SHOW server_version_num") >= "180000"
    assert await pool.fetchval("SELECT count(*) FROM readings") == 0
    assert await pool.fetchval("SHOW password_encryption") == "scram-sha-256"


async def test_migrating_again_changes_nothing(db_url: str, pool: db.Pool) -> None:
    await pool.execute("INSERT INTO gateways (gateway_id, building) VALUES ('gw-north', 'North')")
    before = await pool.fetch("SELECT * FROM schema_migrations ORDER BY version")
    await db.migrate(db_url)
    assert before and await pool.fetch("SELECT * FROM schema_migrations ORDER BY version") == before
    assert await pool.fetchval("SELECT count(*) FROM gateways") == 1


async def test_a_lease_has_one_holder_and_a_stale_leader_is_refused(pool: db.Pool) -> None:
    async with pool.acquire() as connection_a, pool.acquire() as connection_b:
        first = await lease.acquire(connection_a, "market", "a", seconds=60)
        assert first is not None
        assert await lease.acquire(connection_b, "market", "b", seconds=60) is None
        assert await lease.acquire(connection_a, "market", "a", seconds=60) == first
        await lease.release(connection_a, first)
        second = await lease.acquire(connection_b, "market", "b", seconds=60)
        assert second is not None and second.fence > first.fence
        with pytest.raises(lease.LeaseLostError, match="no longer leads"):
            await lease.guard(connection_a, first)
