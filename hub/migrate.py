"""`peerwatt-hub migrate`: brings the schema up to date and says to which version."""

import argparse
import asyncio

import asyncpg

from hub import db
from hub.settings import add_config_argument, load_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)


def run(args: argparse.Namespace) -> None:
    url = load_settings(args.config).database_url.get_secret_value()
    print(f"The schema is at version {asyncio.run(_migrate(url))}")


async def _migrate(url: str) -> str:
    await db.migrate(url)
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval("SELECT max(version) FROM schema_migrations"))
    finally:
        await connection.close()
