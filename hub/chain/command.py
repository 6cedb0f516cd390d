"""`peerwatt-hub chain deploy|status`: puts the programs and their first accounts onto a chain, and shows its state."""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from hub.chain import setup
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.deployment import FOUNDING_LAMPORTS, deploy_programs, require_funds
from hub.chain.instructions.governance import Rates
from hub.chain.key_check import check_founding_keys
from hub.chain.status import ChainStatus, read_status
from hub.keys import refuse_demo_keys
from hub.settings import add_json_argument

EXIT_NOT_READY = 3
_TIMEOUT_S = 30
_RATES = {
    "wheeling": (100, "charge for the use of the grid"),
    "platform": (25, "charge for the platform"),
    "loss": (5, "charge for losses in the grid"),
    "export_tariff": (2200, "what the utility pays"),
    "import_tariff": (5000, "what the utility takes"),
}
"""Each first rate's default in mills per kWh, and its purpose."""
_INTERVAL_S = 900


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_action(actions, "status", "compare what the chain runs with the published hashes; 3 = not ready")
    about = "put the programs and their first accounts there; run it again after an interruption"
    deploy = _add_action(actions, "deploy", about)
    keys = os.environ.get("PEERWATT_CHAIN_KEYS")
    deploy.add_argument(
        "--keys",
        type=Path,
        metavar="DIR",
        required=keys is None,
        default=keys,
        help="folder of the founders' keys, one file each, made when missing (env: PEERWATT_CHAIN_KEYS)",
    )
    _add_number(deploy, "interval_s", _INTERVAL_S, "seconds of an interval, a divisor of a day; it never changes")
    for name, (mills, purpose) in _RATES.items():
        _add_number(deploy, f"{name}_mills", mills, f"{purpose} at first, in thousandths of the currency per kWh")


def _add_action(actions: Any, name: str, about: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=about, description=f"{about.capitalize()}.")
    url = os.environ.get("PEERWATT_CHAIN_URL")
    parser.add_argument(
        "--url",
        required=url is None,
        default=url,
        help="Solana RPC node, http:// or https:// (env: PEERWATT_CHAIN_URL)",
    )
    add_json_argument(parser)
    return parser


def _add_number(parser: argparse.ArgumentParser, name: str, default: int, purpose: str) -> None:
    variable = f"PEERWATT_CHAIN_{name.upper()}"
    parser.add_argument(
        f"--{name.replace('_', '-')}",
        type=int,
        metavar="N",
        default=os.environ.get(variable, str(default)),
        help=f"{purpose} (env: {variable}; default {default})",
    )


def run(args: argparse.Namespace) -> int:
    status = asyncio.run(_deploy(args) if args.action == "deploy" else _status(args.url))
    if args.json:
        print(json.dumps(status.to_json()))
    else:
        _print(status)
    return EXIT_NOT_READY if status.todo else 0


async def _status(url: str) -> ChainStatus:
    async with ChainClient(url, timeout_s=_TIMEOUT_S) as chain:
        return await read_status(chain)


async def _deploy(args: argparse.Namespace) -> ChainStatus:
    refuse_demo_keys(args.keys, demo=False)
    keys = Bootstrap.load_or_create(args.keys)
    rates = Rates(0, **{f"{name}_mills": getattr(args, f"{name}_mills") for name in _RATES})
    async with ChainClient(args.url, timeout_s=_TIMEOUT_S) as chain:
        await check_founding_keys(chain, keys)
        await deploy_programs(chain, keys, _print_progress)
        if any(not account.founded for account in (await read_status(chain)).accounts):
            await require_funds(chain, keys.fee_payer, FOUNDING_LAMPORTS, "the first accounts")
            for name in await setup.ensure_genesis(chain, keys, rates=rates, interval_s=args.interval_s):
                _print_progress(f"{name}: first accounts founded")
        return await read_status(chain)


def _print_progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _print(status: ChainStatus) -> None:
    print(f"{status.url}: {status.cluster} chain, genesis {status.genesis_hash}, slot {status.slot}")
    for program in status.programs:
        state = "ok     " if program.matches else "DIFFERS" if program.deployed else "MISSING"
        print(f"{state} {program.name:<12} {program.address}")
        if program.deployed:
            print(f"        sha256 {program.sha256}, upgrade authority {program.upgrade_authority or 'nobody'}")
    for account in status.accounts:
        print(f"{'founded' if account.founded else 'MISSING'} {account.program}.{account.kind} {account.address}")
    for line in status.todo or ["ready: every program is the published one and founded"]:
        print(line)
