"""`peerwatt-hub worker`: takes in frames; the copy that leads attests, clears, settles and reconciles."""

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from nats.errors import Error as NatsError

from hub.chain.client import ChainClient
from hub.clock import Clock, SystemClock
from hub.errors import PermanentError, RetryableError, first_of
from hub.ingest.coverage import newest_coverage
from hub.ingest.worker import run_ingest
from hub.keys import refuse_demo_keys
from hub.market.invariants import MarketHaltedError
from hub.market.service import clear_attested
from hub.metering.oracle import OracleConfig, attest_due
from hub.observability import metrics
from hub.observability.logs import configure_logs
from hub.observability.outage import Outage
from hub.postgres import db
from hub.postgres.lease import Lease, acquire, kept, release
from hub.settings import Settings, add_config_argument, load_settings
from hub.settlement import repository as settlement
from hub.settlement.cached_funds import CachedFunds, FundsCache
from hub.settlement.deferred import DeferredIntervals
from hub.settlement.fees import Fees
from hub.settlement.funds import ChainFunds
from hub.settlement.keys import SettlementKeys
from hub.settlement.planner import plan_cleared
from hub.settlement.preflight import Preflight, check_funds
from hub.settlement.rates import GovernedRates
from hub.settlement.reconcile import reconcile_due
from hub.settlement.steps.repository import steps as steps_of
from hub.settlement.submitter import Submitter, read_currency_mint

log = structlog.get_logger()

PAUSE_S, RETRY_S, ALARM_S = 0.5, 2.0, 30.0
LEASE_S = 6
CHAIN_S = 5.0
"""So long a node may take to answer; after three times it is left alone for a while."""
ROUND = 50
"""Intervals in one round; after a full one there may be more, and the next begins at once."""
PASSES = (RetryableError, NatsError, *db.AWAY)


@dataclass(frozen=True)
class Workplace:
    """What every loop of the worker uses."""

    settings: Settings
    pool: db.Pool
    clock: Clock
    chain: ChainClient
    holder: str
    """Names this process and no other that there ever was."""
    rates: GovernedRates = field(default_factory=GovernedRates)
    preflight: Preflight = field(default_factory=Preflight)
    funds_cache: FundsCache = field(default_factory=FundsCache)
    halted: asyncio.Event = field(default_factory=asyncio.Event)
    """The market broke a rule of its own: nothing is cleared until a person has looked and restarted us."""
    unplanned: DeferredIntervals = field(default_factory=DeferredIntervals)
    unsettled: DeferredIntervals = field(default_factory=DeferredIntervals)
    unreconciled: DeferredIntervals = field(default_factory=DeferredIntervals)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)


def run(args: argparse.Namespace) -> None:
    configure_logs()
    asyncio.run(_work(load_settings(args.config)))


async def _work(settings: Settings) -> None:
    refuse_demo_keys(settings.keys_dir, demo=settings.demo)
    main = asyncio.current_task()
    assert main is not None  # noqa: S101 - we are in one
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, main.cancel)
    holder = name_of_process(secrets.token_bytes)
    with contextlib.suppress(asyncio.CancelledError):
        async with (
            await db.create_pool(settings.database_url.get_secret_value()) as pool,
            ChainClient(*settings.rpc_urls, timeout_s=CHAIN_S) as chain,
        ):
            await db.check_schema(pool)
            place = Workplace(settings, pool, SystemClock(), chain, holder)
            with metrics.served(settings.metrics_port):
                print(json.dumps({"ready": True, "worker": holder}), flush=True)
                async with asyncio.TaskGroup() as group:
                    for name, loop in _loops(place).items():
                        group.create_task(loop, name=name)


def name_of_process(random_bytes: Callable[[int], bytes]) -> str:
    """In containers neither the host's name nor the process's number tells two copies apart."""
    return f"{socket.gethostname()}:{os.getpid()}:{random_bytes(8).hex()}"


Turn = Callable[[], Awaitable[bool | None]]
Round = Callable[[Workplace, Lease], Awaitable[bool]]
"""True when there may be more to do at once."""


def _loops(place: Workplace) -> dict[str, Coroutine[Any, Any, None]]:
    rounds: dict[str, Round] = {
        "oracle": _oracle_round,
        "market": _market_round,
        "settlement": _settlement_round,
        "reconcile": _reconcile_round,
    }
    return {"ingest": _ingest(place)} | {name: _lead(place, name, work) for name, work in rounds.items()}


async def _ingest(place: Workplace) -> None:
    """Takes frames in; what ends that is said, and it begins again."""
    outage = Outage("ingest")
    take_in = partial(run_ingest, place.settings, place.pool, place.clock, ready=outage.ends, holder=place.holder)
    await _turns(outage, take_in)


async def _lead(place: Workplace, name: str, work: Round) -> None:
    """Does the work in rounds while the lease is ours; what fails is logged and tried again, never twice at once."""
    outage = Outage(name)
    try:
        await _turns(outage, partial(_led_round, place, name, work))
    except asyncio.CancelledError:
        await _give_up(place, name)
        raise


async def _led_round(place: Workplace, name: str, work: Round) -> bool:
    async with place.pool.acquire() as connection:
        lease = await acquire(connection, name, place.holder, seconds=LEASE_S)
    if lease is None:
        return False
    async with kept(place.pool, lease, seconds=LEASE_S):
        return await work(place, lease)


async def _turns(outage: Outage, work: Turn) -> None:
    while True:
        pause_s = await _turn(outage, work)
        await asyncio.sleep(pause_s)


async def _turn(outage: Outage, work: Turn) -> float:
    """One turn of a loop; returns the pause after it. What passes is said once, what needs a person each time.

    A fault of ours in one loop must not end the others, taking frames in least of all.
    """
    try:
        more = await work()
    except Exception as error:
        if _stopping():
            raise asyncio.CancelledError from error
        return _failed(outage, error)
    outage.ends()
    return 0.0 if more else PAUSE_S


def _stopping() -> bool:
    """A library may answer to being stopped with an error of its own, as asyncpg does whose server is gone."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _failed(outage: Outage, error: Exception) -> float:
    serious = error.split(PASSES)[1] if isinstance(error, ExceptionGroup) else error
    if serious is None or isinstance(serious, PASSES):
        outage.begins(first_of(error))
        return RETRY_S
    first = first_of(serious)
    if isinstance(first, PermanentError):
        log.critical("needs a person", loop=outage.loop, code=first.code, reason=str(first))
    else:
        log.critical("needs a person", loop=outage.loop, code="bug", reason=repr(first), exc_info=first)
    return ALARM_S


async def _give_up(place: Workplace, name: str) -> None:
    with contextlib.suppress(Exception):
        async with place.pool.acquire(timeout=1) as connection:
            lease = await acquire(connection, name, place.holder, seconds=1)
            if lease is not None:
                await release(connection, lease)


async def _oracle_round(place: Workplace, lease: Lease) -> bool:
    """Under a lease of its own: energy is attested while the market is halted or the chain away."""
    settings = place.settings
    async with place.pool.acquire() as connection:
        coverage = await newest_coverage(connection)
    config = OracleConfig(
        settings.interval_s, settings.poll_period_s, settings.attest_grace_s, coverage.since_ms, coverage.seen_ms
    )
    done = await attest_due(place.pool, lease, place.clock, config, limit=ROUND)
    for attested in done:
        log.info("attested", start_s=attested.start_s, valid=attested.meters_valid, estimated=attested.meters_estimated)
    return len(done) == ROUND


async def _market_round(place: Workplace, lease: Lease) -> bool:
    """What was cleared before is planned whatever becomes of clearing: it has to be opened on the chain in time."""
    try:
        more_to_clear = await _clear(place, lease)
    finally:
        more_to_plan = await _plan(place, lease)
    return more_to_clear or more_to_plan


async def _clear(place: Workplace, lease: Lease) -> bool:
    if place.halted.is_set():
        return False
    await place.preflight.refuse_other_chain(place.pool, place.chain)
    await place.rates.follow(place.pool, lease, place.clock, place.chain)
    try:
        funds = CachedFunds(ChainFunds(place.chain), place.funds_cache, place.pool, place.clock)
        done = await clear_attested(place.pool, lease, place.clock, funds, limit=ROUND)
    except MarketHaltedError:
        # said loudly by the market itself, and written down
        place.halted.set()
        return False
    for cleared in done:
        log.info("cleared", start_s=cleared.start_s, price_mills=cleared.price_mills, volume_wh=cleared.volume_wh)
    return len(done) == ROUND


async def _plan(place: Workplace, lease: Lease) -> bool:
    done = await plan_cleared(place.pool, lease, place.clock, deferred=place.unplanned, limit=ROUND)
    for planned in done:
        log.info("planned", start_s=planned.start_s, lines=planned.lines, batches=planned.batches)
    await place.unplanned.write_down(place.pool, lease, "planning")
    return len(done) == ROUND


async def _settlement_round(place: Workplace, lease: Lease) -> bool:
    keys = SettlementKeys.load(place.settings.keys_dir, demo=place.settings.demo)
    accounts = await place.preflight.ready_to_send(place.pool, place.clock, place.chain, keys)
    mint = await read_currency_mint(place.chain)
    fees = Fees(place.settings.priority_fee_micro_lamports, place.settings.priority_fee_cap_micro_lamports)
    async with place.pool.acquire() as connection:
        start_s = await settlement.next_unsettled(connection, place.unsettled.waiting(place.clock))
        steps = [] if start_s is None else await steps_of(connection, start_s)
    await check_funds(place.chain, keys, steps, accounts, fees.cap)
    submitter = Submitter(place.pool, lease, place.clock, place.chain, keys, mint, place.unsettled, fees)
    for start_s in await submitter.settle_due():
        log.info("closed", start_s=start_s)
    await place.unsettled.write_down(place.pool, lease, "settlement")
    return False


async def _reconcile_round(place: Workplace, lease: Lease) -> bool:
    """Under a lease of its own: what waits to be settled does not hold up what was."""
    await place.preflight.refuse_other_chain(place.pool, place.chain)
    done = await reconcile_due(place.pool, lease, place.clock, place.chain, deferred=place.unreconciled, limit=ROUND)
    for start_s in done:
        log.info("reconciled", start_s=start_s)
    await place.unreconciled.write_down(place.pool, lease, "reconcile")
    return len(done) == ROUND
