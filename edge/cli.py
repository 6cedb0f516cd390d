"""``peerwatt-edge``: results on stdout, logs and errors on stderr; an environment variable for every flag.

Each command imports what it needs and no more, so that the running agent stays small.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edge.errors import EdgeError

# By name, because this module is called __main__ when Python runs it with -m
log = logging.getLogger("edge.cli")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    options = build_parser().parse_args(arguments)
    from edge.runtime import logs

    logs.configure(os.environ.get("PEERWATT_EDGE_LOG_LEVEL", "info"))
    try:
        code: int = options.run(options)
    except EdgeError as error:
        log.error(str(error), extra={"code": error.code})  # noqa: TRY400 - a message for a person, without traceback
        if options.json:
            _print({"ok": False, "code": error.code, "message": str(error)})
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    return code


def build_parser() -> argparse.ArgumentParser:
    """Makes the whole command line."""
    parser = argparse.ArgumentParser(
        prog="peerwatt-edge",
        description="Reads the building's meters, signs what they said, and forwards it to the hub.",
        epilog="Exit codes: 0 done, 1 it does not hold, 2 usage, 69 hub unreachable, 75 try again, 77 key unreadable, "
        "78 bad configuration or not enrolled. Every setting of the file has a twin PEERWATT_EDGE_NAME.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(commands, "init", _init, "make the state folder, the keys and, where it is missing, a sample configuration")
    enroll = _add(commands, "enroll", _enroll, "trade a one-time token for an identity at the hub")
    token = os.environ.get("PEERWATT_EDGE_TOKEN")
    enroll.add_argument(
        "--token",
        default=token,
        required=token is None,
        help="what `peerwatt-hub token` printed: good for one hour and one set of keys (env: PEERWATT_EDGE_TOKEN)",
    )
    _add(commands, "run", _run, "poll, sign, store and forward until SIGTERM")
    _add(commands, "status", _status, "how the running agent is doing")
    verify = _add(commands, "verify", _verify, "check a proof, an exported chain, or the own ledger, offline")
    verify.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="a reading's proof, or a chain that `export` wrote; default: the own ledger",
    )
    key = os.environ.get("PEERWATT_EDGE_PUBLIC_KEY")
    verify.add_argument(
        "--public-key",
        default=key,
        metavar="HEX",
        help="the gateway's public key, 64 hex digits: nothing holds that another key signed "
        "(env: PEERWATT_EDGE_PUBLIC_KEY; default the key in the file, or the agent's own)",
    )
    export = _add(commands, "export", _export, "write the ledger's chain of frames to a file")
    out = os.environ.get("PEERWATT_EDGE_OUT")
    export.add_argument(
        "--out",
        type=Path,
        default=out,
        required=out is None,
        metavar="FILE",
        help="where the chain is written, in place of what is there (env: PEERWATT_EDGE_OUT)",
    )
    _add(commands, "explain-plan", _explain, "show the block reads of every meter and the load of every bus")
    _add(commands, "version", _version, "print the version")
    return parser


def _add(commands: Any, name: str, run: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    command.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the agent's TOML file (env: PEERWATT_EDGE_CONFIG; without it the environment alone counts)",
    )
    command.add_argument(
        "--json",
        action="store_true",
        default=os.environ.get("PEERWATT_EDGE_JSON") == "1",
        help="one JSON object on stdout, also of an error (env: PEERWATT_EDGE_JSON=1)",
    )
    command.set_defaults(run=run)
    return command


def _init(options: argparse.Namespace) -> int:
    from edge.commands import init

    return _show(options, init(options.config))


def _enroll(options: argparse.Namespace) -> int:
    from edge.commands import enroll

    return _show(options, enroll(options.config, options.token))


def _run(options: argparse.Namespace) -> int:
    from edge.agent import run_agent
    from edge.runtime import logs
    from edge.settings import load_settings

    settings = load_settings(options.config)
    logs.configure(settings.log_level)
    run_agent(settings)
    return 0


def _status(options: argparse.Namespace) -> int:
    from edge.commands import status

    return _show(options, status(options.config))


def _verify(options: argparse.Namespace) -> int:
    from edge.offline.verify import verify

    return _show(options, verify(options.config, options.file, options.public_key))


def _export(options: argparse.Namespace) -> int:
    from edge.offline.verify import export

    return _show(options, export(options.config, options.out))


def _explain(options: argparse.Namespace) -> int:
    from edge.commands import explain_plan

    return _show(options, explain_plan(options.config))


def _version(options: argparse.Namespace) -> int:
    from edge.runtime.version import agent_version

    if options.json:
        _print({"version": agent_version()})
    else:
        sys.stdout.write(f"peerwatt-edge {agent_version()}\n")
    return 0


def _show(options: argparse.Namespace, answer: dict[str, Any]) -> int:
    if options.json:
        _print(answer)
    else:
        for name, value in answer.items():
            sys.stdout.write(f"{name}: {_plain(value)}\n")
    return 0 if answer.get("ok", True) else 1


def _plain(value: object) -> str:
    if isinstance(value, list):
        return "".join(f"\n  {_plain(item)}" for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(item)}" for name, item in value.items()) or "none"
    return str(value)


def _print(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    sys.exit(main())
