"""`peerwatt-hub token GATEWAY_ID`: issues a one-time enrolment token and prints it."""

import argparse
import asyncio
import json

from hub.clock import SystemClock
from hub.devices import service
from hub.postgres import db
from hub.settings import Settings, add_config_argument, add_json_argument, load_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)
    parser.add_argument("gateway_id", metavar="GATEWAY_ID", help="the gateway that may use it, such as gw-north")
    add_json_argument(parser)


def run(args: argparse.Namespace) -> None:
    token = asyncio.run(_make_token(load_settings(args.config), args.gateway_id))
    minutes = int(service.TOKEN_LIFETIME.total_seconds() // 60)
    if args.json:
        print(json.dumps({"gateway_id": args.gateway_id, "token": token, "valid_minutes": minutes}))
    else:
        print(token)


async def _make_token(settings: Settings, gateway_id: str) -> str:
    pool = await db.create_pool(settings.database_url.get_secret_value(), size=1)
    try:
        await db.check_schema(pool)
        async with pool.acquire() as connection, connection.transaction():
            return await service.make_token(connection, gateway_id, SystemClock())
    finally:
        await pool.close()
