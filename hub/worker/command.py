"""`peerwatt-hub worker`: connects, checks the schema, then runs ingest and every round until it is stopped."""

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
from collections.abc import Callable
from functools import partial

from hub.chain.client import ChainClient
from hub.clock import SystemClock
from hub.ingest.loop import run_ingest
from hub.keys import refuse_demo_keys
from hub.observability import metrics
from hub.observability.logs import configure_logs
from hub.observability.outage import Outage
from hub.postgres import db
from hub.settings import Settings, add_config_argument, load_settings
from hub.worker.registry import rounds
from hub.worker.supervise import Leader, repeat

CHAIN_TIMEOUT_S = 5.0
"""For one answer of a node; after three time-outs its circuit breaker opens."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)


def run(args: argparse.Namespace) -> None:
    configure_logs()
    asyncio.run(_work(load_settings(args.config)))


async def _work(settings: Settings) -> None:
    refuse_demo_keys(settings.keys_dir, demo=settings.demo)
    main_task = asyncio.current_task()
    assert main_task is not None  # noqa: S101 - this is a task
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, main_task.cancel)
    worker_name, clock = process_name(secrets.token_bytes), SystemClock()
    with contextlib.suppress(asyncio.CancelledError):
        async with (
            await db.create_pool(settings.database_url.get_secret_value()) as pool,
            ChainClient(*settings.rpc_urls, timeout_s=CHAIN_TIMEOUT_S) as chain,
        ):
            await db.check_schema(pool)
            with metrics.served(settings.metrics_port):
                print(json.dumps({"ready": True, "worker": worker_name}), flush=True)
                outage = Outage("ingest")
                ingest = partial(run_ingest, settings, pool, clock, ready=outage.ends, holder=worker_name)
                async with asyncio.TaskGroup() as group:
                    group.create_task(repeat(outage, ingest), name="ingest")
                    for each_round in rounds(settings, pool, clock, chain):
                        group.create_task(Leader(pool, worker_name).lead(each_round), name=each_round.name)


def process_name(random_bytes: Callable[[int], bytes]) -> str:
    """Returns a unique name; in containers host name and process number are not unique."""
    return f"{socket.gethostname()}:{os.getpid()}:{random_bytes(8).hex()}"
