"""`peerwatt-hub reconcile`: compares every closed interval with the chain; exits with 1 on any difference."""

import argparse
import asyncio
import json

from hub.chain.client import ChainClient
from hub.postgres import db
from hub.settings import Settings, add_config_argument, add_json_argument, load_settings
from hub.settlement.reconcile import Report, compare_all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    return print_report(asyncio.run(_compare(load_settings(args.config))), as_json=args.json)


def print_report(report: Report, *, as_json: bool) -> int:
    """Prints the report as text or JSON; returns the exit code, 1 when there are differences."""
    if as_json:
        print(json.dumps({"checked": report.checked, "differences": report.differences, "notes": report.notes}))
        return 1 if report.differences else 0
    if report.differences:
        print(f"{report.checked} closed intervals compared, {len(report.differences)} differences:")
        print("\n".join(f"  {difference}" for difference in report.differences))
    else:
        print(f"{report.checked} closed intervals compared: database and chain agree to the micro and the Wh")
    for note in report.notes:
        print(f"  note: {note}")
    return 1 if report.differences else 0


async def _compare(settings: Settings) -> Report:
    pool = await db.create_pool(settings.database_url.get_secret_value(), size=2)
    async with pool, ChainClient(*settings.rpc_urls) as chain:
        await db.check_schema(pool)
        return await compare_all(pool, chain)
