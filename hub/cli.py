"""`peerwatt-hub`: imports the module of the named command and runs it; each has ``add_arguments`` and ``run``."""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from types import ModuleType

from hub.errors import ConfigError, HubError, RetryableError, first_of

COMMANDS = {
    "demo": ("hub.demo.command", "run a whole campus on this machine and print the URL"),
    "serve": ("hub.api.serve", "serve the API, the web app and the device listener"),
    "worker": ("hub.worker.command", "take in frames, attest, clear, settle and reconcile"),
    "ledger": ("hub.ledger.command", "run the embedded chain"),
    "chain": ("hub.chain.command", "deploy the programs to a Solana RPC, or say what it runs"),
    "migrate": ("hub.postgres.migrate", "bring the database schema up to date"),
    "token": ("hub.devices.command", "make a one-time enrolment token for a gateway"),
    "trace": ("hub.operations.trace", "show the hops of one reading with their times"),
    "reconcile": ("hub.settlement.command", "compare the database with the chain, to the micro and the Wh"),
    "take-back": ("hub.settlement.take_back.command", "take back intervals that were attested too early"),
    "audit": ("hub.audit.command", "check a hub from outside: chain, published journals and your own proofs"),
    "doctor": ("hub.operations.doctor", "check what this hub needs and say what to mend"),
    "openapi": ("hub.api.openapi", "print the API's description"),
}

EXIT_FAILED, EXIT_TRY_AGAIN, EXIT_CONFIG = 1, 75, 78


def build_parser(*, only_names: bool = False) -> argparse.ArgumentParser:
    """Makes the whole command line; with ``only_names`` the commands have no flags, and none of them is imported."""
    parser = argparse.ArgumentParser(
        prog="peerwatt-hub",
        description="Peerwatt's hub. Every setting has an environment twin: PEERWATT_HUB_<NAME>.",
        epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 doctor or chain status found a problem, 75 try again later, "
        "78 wrong configuration.",
    )
    parser.add_argument("--version", action="version", version=f"peerwatt-hub {version('peerwatt')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, purpose) in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, add_help=not only_names)
        if not only_names:
            _add_flags(command, name)
    return parser


def _add_flags(parser: argparse.ArgumentParser, name: str) -> ModuleType:
    """Gives a command's parser its texts and flags; returns the command's module."""
    module_name, purpose = COMMANDS[name]
    module = importlib.import_module(module_name)
    parser.description = f"{purpose[0].upper()}{purpose[1:]}."
    parser.epilog = "Every setting of the file has an environment twin: PEERWATT_HUB_<NAME>."
    module.add_arguments(parser)
    return module


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; errors of the hub are printed as one line on stderr."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] not in COMMANDS:
        build_parser(only_names=True).parse_args(arguments)
        return EXIT_FAILED
    name, rest = arguments[0], arguments[1:]
    try:
        parser = argparse.ArgumentParser(prog=f"peerwatt-hub {name}")
        module = _add_flags(parser, name)
        return _run(module, parser.parse_args(rest))
    except KeyboardInterrupt:
        return 130


def _run(module: ModuleType, args: argparse.Namespace) -> int:
    try:
        return int(module.run(args) or 0)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except (HubError, OSError) as error:
        return _report_error(error, args)
    except ExceptionGroup as group:
        # of the errors of several tasks the first expected one is printed
        expected, _ = group.split((HubError, OSError))
        if expected is None:
            raise
        return _report_error(first_of(expected), args)


def _report_error(error: BaseException, args: argparse.Namespace) -> int:
    """Prints one line on stderr, and with --json an object on stdout; returns the exit code."""
    message = str(error) or type(error).__name__
    if getattr(args, "json", False):
        print(json.dumps({"error": getattr(error, "code", "system"), "message": message}))
    print(f"peerwatt-hub: {message}", file=sys.stderr)
    if isinstance(error, ConfigError):
        return EXIT_CONFIG
    return EXIT_TRY_AGAIN if isinstance(error, RetryableError) else EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
