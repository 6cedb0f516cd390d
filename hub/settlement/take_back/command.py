"""`peerwatt-hub take-back`: takes back intervals that were attested too early and are not on the chain."""

import argparse
import asyncio
import json
import os
from datetime import datetime, timedelta

from hub.chain.client import ChainClient
from hub.clock import SystemClock, rfc3339_s, to_s
from hub.postgres import db
from hub.settings import Settings, add_config_argument, add_json_argument, load_settings
from hub.settlement.preflight import check_genesis
from hub.settlement.take_back.service import TakenBack, Why, held_by_chain, take_back


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)
    parser.add_argument(
        "start", metavar="START", type=_utc_s, help="from this time on, in UTC, such as 2026-06-01T10:00:00Z"
    )
    for flag, metavar, says in (("by", "NAME", "who takes them back"), ("reason", "TEXT", "why")):
        twin = f"PEERWATT_HUB_TAKE_BACK_{flag.upper()}"
        parser.add_argument(
            f"--{flag}", type=_said, metavar=metavar, default=os.environ.get(twin), required=twin not in os.environ,
            help=f"{says}, for the record: 3 to 500 characters (env: {twin})",
        )  # fmt: skip
    add_json_argument(parser)


def run(args: argparse.Namespace) -> None:
    taken = asyncio.run(_take_back(load_settings(args.config), args.start, Why(args.by, args.reason)))
    starts = [rfc3339_s(start_s) for start_s in taken.starts]
    if args.json:
        print(json.dumps({"taken_back": starts, "record": taken.record}))
    elif starts:
        which = f"the interval of {starts[0]}" if len(starts) == 1 else f"{len(starts)} intervals from {starts[0]} on"
        print(f"Took back {which} (record {taken.record}): the worker attests anew")
    else:
        print("Nothing is attested from that time on: there is nothing to take back")


async def _take_back(settings: Settings, since_s: int, why: Why) -> TakenBack:
    pool = await db.create_pool(settings.database_url.get_secret_value(), size=2)
    async with pool, ChainClient(*settings.rpc_urls) as chain:
        await db.check_schema(pool)
        await check_genesis(pool, chain)
        return await take_back(pool, SystemClock(), lambda starts: held_by_chain(chain, starts), since_s, why)


def _utc_s(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() != timedelta(0) or moment.microsecond:
        raise argparse.ArgumentTypeError("write a whole second in UTC, such as 2026-06-01T10:00:00Z")
    return to_s(moment)


def _said(text: str) -> str:
    if not 3 <= len(text.strip()) <= 500:
        raise argparse.ArgumentTypeError("write 3 to 500 characters")
    return text.strip()
