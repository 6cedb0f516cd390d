"""`peerwatt-hub worker`: takes in frames; the copy that leads attests, clears, settles and reconciles."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from nats.errors import Error as NatsError

from hub import db
from hub.chain.client import ChainClient
from hub.clock import Clock, SystemClock
from hub.errors import PermanentError, RetryableError
from hub.ingest.worker import run_ingest
from hub.keys import refuse_demo_keys
from hub.lease import Lease, acquire, kept, release
from hub.market.invariants import MarketHaltedError
from hub.market.service import clear_attested
from hub.metering.oracle import OracleConfig, attest_due
from hub.observability.logs import configure_logs
from hub.observability.outage import Outage
from hub.settings import Settings, add_config_argument, load_settings
from hub.settlement.aside import Aside
from hub.settlement.funds import ChainFunds
from hub.settlement.keys import SettlementKeys
from hub.settlement.planner import plan_cleared
from hub.settlement.rates import GovernedRates
from hub.settlement.reconcile import reconcile_due
from hub.settlement.submitter import Submitter, read_currency_mint

log = structlog.get_logger()

PAUSE_S, RETRY_S, ALARM_S = 0.5, 2.0, 30.0
LEASE_S = 6


@dataclass(frozen=True)
class Workplace:
    """What every loop of the worker uses."""

    settings: Settings
    pool: db.Pool
    clock: Clock
    chain: ChainClient
    holder: str
    since_ms: int
    """When this process began to take in frames."""
    rates: GovernedRates = field(default_factory=GovernedRates)
    unplanned: Aside = field(default_factory=Aside)
    unsettled: Aside = field(default_factory=Aside)
    unreconciled: Aside = field(default_factory=Aside)


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
    holder = f"{socket.gethostname()}:{os.getpid()}"
    with contextlib.suppress(asyncio.CancelledError):
        async with (
            await db.create_pool(settings.database_url.get_secret_value()) as pool,
            ChainClient(settings.rpc_url) as chain,
        ):
            clock = SystemClock()
            place = Workplace(settings, pool, clock, chain, holder, clock.now_ms())
            print(json.dumps({"ready": True, "worker": holder}), flush=True)
            async with asyncio.TaskGroup() as group:
                group.create_task(_ingest(place), name="ingest")
                group.create_task(_lead(place, "oracle", _oracle_round), name="oracle")
                group.create_task(_lead(place, "market", _market_round), name="market")
                group.create_task(_lead(place, "settlement", _settlement_round), name="settlement")
                group.create_task(_lead(place, "reconcile", _reconcile_round), name="reconcile")


async def _ingest(place: Workplace) -> None:
    """Takes frames in; when NATS is away, tries again for ever."""
    outage = Outage("ingest")
    while True:
        try:
            await run_ingest(place.settings, place.pool, place.clock, ready=outage.ends)
        except* (RetryableError, NatsError, *db.AWAY) as errors:
            outage.begins(_first(errors))
        await asyncio.sleep(RETRY_S)


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


Round = Callable[[Workplace, Lease], Awaitable[None]]


async def _lead(place: Workplace, name: str, work: Round) -> None:
    """Does the work in rounds while the lease is ours; what fails is logged and tried again, never twice at once."""
    outage = Outage(name)
    while True:
        pause = PAUSE_S
        try:
            async with place.pool.acquire() as connection:
                lease = await acquire(connection, name, place.holder, seconds=LEASE_S)
            if lease is not None:
                async with kept(place.pool, lease, seconds=LEASE_S):
                    pause = await _round(place, lease, work)
            if pause == PAUSE_S:
                outage.ends()
        except asyncio.CancelledError:
            await _give_up(place, name)
            raise
        except (RetryableError, *db.AWAY) as error:
            outage.begins(error)
            pause = RETRY_S
        await asyncio.sleep(pause)


async def _round(place: Workplace, lease: Lease, work: Round) -> float:
    """One round; returns the pause after it. What may pass is raised, what needs a person is said each time."""
    try:
        await work(place, lease)
    except MarketHaltedError:
        # said loudly by the market itself; nothing is cleared until a person has looked and restarted us
        await asyncio.Event().wait()
    except PermanentError as error:
        log.critical("needs a person", loop=lease.name, code=error.code, reason=str(error))
        return ALARM_S
    except (RetryableError, *db.AWAY):
        raise
    except Exception:
        # a bug of ours in one loop must not end the others, frames least of all
        log.critical("needs a person", loop=lease.name, code="bug", exc_info=True)
        return ALARM_S
    return PAUSE_S


async def _give_up(place: Workplace, name: str) -> None:
    with contextlib.suppress(Exception):
        async with place.pool.acquire(timeout=1) as connection:
            lease = await acquire(connection, name, place.holder, seconds=1)
            if lease is not None:
                await release(connection, lease)


async def _oracle_round(place: Workplace, lease: Lease) -> None:
    """Under a lease of its own: energy is attested while the market is halted or the chain away."""
    settings = place.settings
    config = OracleConfig(settings.interval_s, settings.poll_period_s, settings.attest_grace_s, place.since_ms)
    for attested in await attest_due(place.pool, lease, place.clock, config):
        log.info("attested", start_s=attested.start_s, valid=attested.meters_valid, estimated=attested.meters_estimated)


async def _market_round(place: Workplace, lease: Lease) -> None:
    await place.rates.follow(place.pool, lease, place.clock, place.chain)
    for cleared in await clear_attested(place.pool, lease, place.clock, ChainFunds(place.chain)):
        log.info("cleared", start_s=cleared.start_s, price_mills=cleared.price_mills, volume_wh=cleared.volume_wh)
    for planned in await plan_cleared(place.pool, lease, place.clock, aside=place.unplanned):
        log.info("planned", start_s=planned.start_s, lines=planned.lines, batches=planned.batches)
    await place.unplanned.write_down(place.pool, lease, "planning")


async def _settlement_round(place: Workplace, lease: Lease) -> None:
    keys = SettlementKeys.load(place.settings.keys_dir, demo=place.settings.demo)
    mint = await read_currency_mint(place.chain)
    fee = place.settings.priority_fee_micro_lamports
    submitter = Submitter(place.pool, lease, place.clock, place.chain, keys, mint, place.unsettled, fee)
    for start_s in await submitter.settle_due():
        log.info("closed", start_s=start_s)
    await place.unsettled.write_down(place.pool, lease, "settlement")


async def _reconcile_round(place: Workplace, lease: Lease) -> None:
    """Under a lease of its own: what waits to be settled does not hold up what was."""
    for start_s in await reconcile_due(place.pool, lease, place.clock, place.chain, aside=place.unreconciled):
        log.info("reconciled", start_s=start_s)
    await place.unreconciled.write_down(place.pool, lease, "reconcile")
