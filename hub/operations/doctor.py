"""`peerwatt-hub doctor`: checks everything that a hub needs and says what to correct; exits with 3 if anything is."""

import argparse
import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncpg

from hub.chain.client import ChainClient
from hub.chain.deployment import require_funds
from hub.chain.setup import check_programs
from hub.clock import SystemClock, at_ms, rfc3339_s, to_s
from hub.errors import ConfigError, HubError, PermanentError
from hub.http.types import utc_text
from hub.ingest import bus
from hub.market.queries import open_halts
from hub.observability.logs import quiet_libraries
from hub.operations.nodes import look_at_nodes
from hub.postgres import db
from hub.settings import Settings, add_config_argument, add_json_argument, load_settings
from hub.settlement import queries as settlement
from hub.settlement.keys import SettlementKeys
from hub.settlement.preflight import check_clock, check_genesis, check_keys
from hub.settlement.submitter import read_currency_mint

EXIT_PROBLEMS = 3
PROBE_TIMEOUT_S = 10
MIN_FREE_BYTES = 512 * 1024 * 1024
MAX_CLOCK_ERROR_S = 5
ENOUGH_LAMPORTS = 10**9
"""Of the fee payer; below it doctor warns, long before the worker has to stop."""
OVERDUE_MS = 3600_000
"""Milliseconds after its end; an interval that is not closed by then is reported."""
RECENT_MS = 7 * 24 * 3600_000
"""How long an aborted settlement is reported."""


@dataclass(frozen=True)
class Finding:
    """The result of one check; ``problem`` is None when all is in order."""

    name: str
    fact: str
    problem: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    quiet_libraries()
    findings = asyncio.run(examine(load_settings(args.config)))
    if args.json:
        print(json.dumps({"findings": [vars(finding) for finding in findings]}))
    else:
        for finding in findings:
            mark = "ok   " if finding.problem is None else "WRONG"
            print(f"{mark} {finding.name:<12} {finding.problem or finding.fact}")
    return EXIT_PROBLEMS if any(finding.problem for finding in findings) else 0


async def examine(settings: Settings) -> list[Finding]:
    """Runs all checks at once; a check that fails does not stop the others."""
    probes = {
        "state": _state, "keys": _keys, "database": _database, "nats": _nats, "chain": _chain,
        "nodes": look_at_nodes, "clock": _clock,
        "market": _market, "intervals": _intervals, "aborts": _aborts,
    }  # fmt: skip
    return list(await asyncio.gather(*(_probe(name, probe, settings) for name, probe in probes.items())))


async def _probe(name: str, probe: Callable[[Settings], Awaitable[str]], settings: Settings) -> Finding:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            return Finding(name, await probe(settings))
    except TimeoutError:
        return Finding(name, "", f"no answer within {PROBE_TIMEOUT_S} s")
    except (HubError, OSError, asyncpg.PostgresError) as error:
        return Finding(name, "", str(error) or type(error).__name__)


async def _state(settings: Settings) -> str:
    mode = settings.state_dir.stat().st_mode & 0o777
    if mode & 0o077:
        raise ConfigError(f"{settings.state_dir} is open to others ({mode:o}): chmod 700 {settings.state_dir}")
    free = shutil.disk_usage(settings.state_dir).free
    if free < MIN_FREE_BYTES:
        raise ConfigError(f"only {free >> 20} MiB are free on the disk of {settings.state_dir}: make room")
    return f"{settings.state_dir}, {free >> 30} GiB free"


async def _keys(settings: Settings) -> str:
    loaded = SettlementKeys.load(settings.keys_dir, demo=settings.demo)
    return f"fee payer {loaded.fee_payer.pubkey()}, settler {loaded.settler.pubkey()}"


async def _database(settings: Settings) -> str:
    url = settings.database_url.get_secret_value()
    async with db.connected(url) as connection:
        await db.check_schema(connection)
    return f"schema {await db.schema_version(url)}"


async def _market(settings: Settings) -> str:
    async with db.connected(settings.database_url.get_secret_value()) as connection:
        halts = await open_halts(connection)
    if halts:
        raise PermanentError(
            f"halted at interval {utc_text(halts[0]['start_at'])} since {utc_text(halts[0]['halted_at'])}: "
            f"{halts[0]['reason']}"
        )
    return "not halted"


async def _nats(settings: Settings) -> str:
    client = await bus.connect(settings.nats_url, settings.nats_ca_file, settings.nats_creds_file, name="doctor")
    try:
        info = await client.jetstream().stream_info(bus.STREAM)
    finally:
        await client.close()
    return f"{settings.nats_url}, {info.state.messages} frames wait in {bus.STREAM}"


async def _chain(settings: Settings) -> str:
    async with ChainClient(*settings.rpc_urls) as chain:
        await check_programs(chain)
        keys = SettlementKeys.load(settings.keys_dir, demo=settings.demo)
        await check_keys(chain, keys)
        await check_clock(chain, SystemClock())
        mint = await read_currency_mint(chain)
        await require_funds(chain, keys.fee_payer, ENOUGH_LAMPORTS, "settlement for a while")
        async with await db.create_pool(settings.database_url.get_secret_value(), size=1) as pool:
            await check_genesis(pool, chain)
        return f"{settings.rpc_url}, our programs and keys, currency {mint}"


async def _clock(settings: Settings) -> str:
    async with db.connected(settings.database_url.get_secret_value()) as connection:
        database_ms = await db.server_time_ms(connection)
    difference_s = abs(SystemClock().now_ms() - database_ms) / 1000
    if difference_s > MAX_CLOCK_ERROR_S:
        raise ConfigError(f"our clock and the database's differ by {difference_s:.0f} s: synchronise both")
    return f"within {difference_s:.1f} s of the database's"


async def _intervals(settings: Settings) -> str:
    """Names the intervals that are not settled in time, since when and why."""
    async with db.connected(settings.database_url.get_secret_value()) as connection:
        rows = await settlement.unfinished_intervals(connection, at_ms(SystemClock().now_ms() - OVERDUE_MS))
    if not rows:
        return "all that ended are closed, or will be soon"
    texts = "; ".join(_interval_text(row) for row in rows[:5])
    rest = f"; and {len(rows) - 5} more" if len(rows) > 5 else ""
    raise PermanentError(f"{len(rows)} do not get on: {texts}{rest}")


async def _aborts(settings: Settings) -> str:
    """Names the settlements that were aborted lately; a problem if only the settler's key can have done it."""
    async with db.connected(settings.database_url.get_secret_value()) as connection:
        rows = await settlement.reconcile_notes(connection, at_ms(SystemClock().now_ms() - RECENT_MS))
    alarms = [row for row in rows if row["alarm"]]
    texts = "; ".join(f"interval {rfc3339_s(to_s(row['start_at']))}: {row['note']}" for row in (alarms or rows)[:5])
    if alarms:
        raise PermanentError(texts)
    return texts or "no settlement was aborted in the last seven days"


def _interval_text(row: db.Record) -> str:
    start = rfc3339_s(to_s(row["start_at"]))
    if row["stage"] is None:
        return f"{start} is {row['state']}: is a worker running, and does its log say why?"
    return f"{start} is {row['state']}, {row['stage']} fails since {rfc3339_s(to_s(row['since']))}: {row['reason']}"
