"""`peerwatt-hub ledger`: reads the flags, then serves a ledger or runs one of the auditor's actions."""

import argparse
import asyncio
import os
from pathlib import Path

from hub.ledger.audit_command import ACTIONS
from hub.ledger.guarded_clock import GAP_FLAG
from hub.ledger.opening import Limits
from hub.ledger.serving import ServeOptions, serve
from hub.ledger.store.snapshot import SNAPSHOT_EVERY
from hub.observability.logs import configure_logs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's flags."""
    names = ("STATE", "PORT", "FAUCET", "MAX_MIB", "CLOCK_GAP_DAYS", "SNAPSHOT_EVERY", "CHECK_ALL")
    state, port, faucet, max_mib, gap_days, snapshot_every, check_all = (
        os.environ.get(f"PEERWATT_LEDGER_{name}") for name in names
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        default=state,
        help="folder of this ledger, made with mode 0700; needed to serve (env: PEERWATT_LEDGER_STATE)",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=port or "8899",
        help="port on 127.0.0.1, 0 = a free one (env: PEERWATT_LEDGER_PORT; default 8899)",
    )
    _add_web(parser)
    parser.add_argument(
        "--faucet",
        action="store_true",
        default=faucet == "1",
        help="answer requestAirdrop, for the demo and tests (env: PEERWATT_LEDGER_FAUCET=1)",
    )
    parser.add_argument(
        "--max-mib",
        type=int,
        metavar="MIB",
        default=max_mib,
        help="refuse transactions when the file would grow beyond so many MiB "
        "(env: PEERWATT_LEDGER_MAX_MIB; default no limit)",
    )
    parser.add_argument(
        GAP_FLAG,
        type=int,
        metavar="DAYS",
        default=gap_days or "0",
        help="accept a clock that is up to so many days after the last block, or with a minus sign behind it "
        "(env: PEERWATT_LEDGER_CLOCK_GAP_DAYS; default 0; always accepted: 30 days after, half a minute behind)",
    )
    parser.add_argument(
        "--snapshot-every",
        type=_at_least_one,
        metavar="N",
        default=snapshot_every or str(SNAPSHOT_EVERY),
        help="blocks or transactions between two snapshots; a start checks the log after the last one "
        f"(env: PEERWATT_LEDGER_SNAPSHOT_EVERY; default {SNAPSHOT_EVERY})",
    )
    parser.add_argument(
        "--check-all",
        action="store_true",
        default=check_all == "1",
        help="check the whole log at start instead, and make a new snapshot (env: PEERWATT_LEDGER_CHECK_ALL=1)",
    )

    _add_actions(parser)


def _add_web(parser: argparse.ArgumentParser) -> None:
    """Adds the flags for wallets: WebSockets, and pages in a browser."""
    ws_port, origins = (os.environ.get(f"PEERWATT_LEDGER_{name}") for name in ("WS_PORT", "ORIGINS"))
    parser.add_argument(
        "--ws-port",
        type=int,
        metavar="PORT",
        default=ws_port,
        help="second port on 127.0.0.1 for WebSockets, which the first takes as well; 0 = none "
        "(env: PEERWATT_LEDGER_WS_PORT; default the port after the first, when it is free)",
    )
    parser.add_argument(
        "--origin",
        metavar="URL",
        action="append",
        default=origins.split(",") if origins else [],
        help="origin of a web page that may ask, for wallets in a browser; may be repeated "
        "(env: PEERWATT_LEDGER_ORIGINS, with commas; default none)",
    )


def _add_actions(parser: argparse.ArgumentParser) -> None:
    """Adds the actions other than serving."""
    parser.set_defaults(action=None, usage_error=parser.error)
    actions = parser.add_subparsers(metavar="ACTION", help="instead of serving; each has its own --help")
    for name, action in ACTIONS.items():
        subparser = actions.add_parser(name, help=action.purpose, description=f"{action.purpose.capitalize()}.")
        action.add_arguments(subparser)
        subparser.set_defaults(action=action)


def _at_least_one(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def run(args: argparse.Namespace) -> int:
    """Serves until SIGTERM or SIGINT, or runs an action.

    Raises:
        LedgerError: the folder, the genesis or the port can not be used; the message says what to do.
        LogRefusedError: a log is not what the authority or an auditor signed.
    """
    if args.action is not None:
        return int(args.action.run(args))
    if args.state is None:
        args.usage_error("--state is missing (env: PEERWATT_LEDGER_STATE)")
    configure_logs()
    limits = Limits(args.max_mib, args.clock_gap_days, args.snapshot_every, args.check_all)
    asyncio.run(serve(ServeOptions(args.state, args.port, args.ws_port, tuple(args.origin), args.faucet, limits)))
    return 0
