"""`peerwatt-hub migrate`: brings the database schema up to date and prints its version."""

import argparse
import asyncio

from hub.postgres import db
from hub.settings import add_config_argument, load_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)


def run(args: argparse.Namespace) -> None:
    url = load_settings(args.config).database_url.get_secret_value()
    print(f"The schema is at version {asyncio.run(_migrate(url))}")


async def _migrate(url: str) -> str:
    await db.migrate(url)
    return await db.schema_version(url)
