"""A clock that a test sets ahead, and PostgreSQL's time with it."""

import time
from dataclasses import dataclass

from hub.postgres.db import Pool

# A function of the schema `public` stands before PostgreSQL's own only where the search path says so
_FOUND = """
CREATE TABLE time_ahead (ms bigint NOT NULL);
INSERT INTO time_ahead VALUES (0);
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
AS $$ SELECT pg_catalog.clock_timestamp() + ms * interval '1 millisecond' FROM public.time_ahead $$;
"""
_STORED = ("readings", "meter_events")
"""Tables that date their rows themselves."""


@dataclass
class SteppedClock:
    """Runs as the machine's clock does, from a time that the test chooses; implements ``hub.clock.Clock``."""

    ahead_ms: int = 0

    @classmethod
    def at(cls, seconds: int) -> "SteppedClock":
        """Returns a clock at a time in s since 1970."""
        return cls(seconds * 1000 - _machine_ms())

    def now_ms(self) -> int:
        return _machine_ms() + self.ahead_ms

    async def step_to(self, seconds: int, pool: Pool) -> None:
        """Sets this clock and PostgreSQL's to a time in s since 1970, which must not be past."""
        ahead_ms = seconds * 1000 - _machine_ms()
        assert ahead_ms >= self.ahead_ms, f"it is {(self.ahead_ms - ahead_ms) / 1000:.1f} s later already"
        self.ahead_ms = ahead_ms
        await self.tell(pool)

    async def tell(self, pool: Pool) -> None:
        """Gives PostgreSQL this clock's time."""
        await pool.execute("UPDATE time_ahead SET ms = $1", self.ahead_ms)


async def step_database(pool: Pool) -> None:
    """Lets PostgreSQL's time be set in this database, for connections that are opened afterwards."""
    async with pool.acquire() as connection:
        await connection.execute(_FOUND)
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog')
        for table in _STORED:
            await connection.execute(f"ALTER TABLE {table} ALTER stored_at SET DEFAULT public.clock_timestamp()")
    await pool.expire_connections()


def _machine_ms() -> int:
    return time.time_ns() // 1_000_000
