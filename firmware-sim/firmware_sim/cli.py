"""``peerwatt-sim run | site | replay-check | version``; an environment variable for every flag."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from firmware_sim.errors import SimError
from firmware_sim.logs import configure_logs
from firmware_sim.settings import Settings, load_settings

log = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    try:
        args = build_parser().parse_args(argv)
        configure_logs(as_json=args.json)
        command: Callable[[argparse.Namespace], None] = args.command
        command(args)
    except SimError as error:
        log.error("%s", error)  # noqa: TRY400 - the message is for a person, the traceback is not
        return error.exit_code
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Makes the whole command line."""
    parser = argparse.ArgumentParser(
        prog="peerwatt-sim",
        description="Simulated meters on Modbus and MQTT.",
        epilog="Exit codes: 0 done, 1 a port, bus or state file can not be used, 2 usage, 78 a setting or file is "
        "wrong. Every key of the file has an environment twin: PEERWATT_SIM_<KEY>.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = _command(commands, "run", _run, "serve the meters until SIGTERM; one JSON line on stdout when all listen")
    _common(run)
    _option(run, "--replay", "REPLAY", Path, "CSV file of a time and W per meter, in place of the model", "the model")
    _option(run, "--truth", "TRUTH", Path, "file that gets a JSON line on every energy register served", "none")
    _option(run, "--state", "STATE", Path, "file that keeps the registers over a restart", "none, each start is new")
    _option(
        run, "--cache-dir", "CACHE_DIR", Path, "folder of the built series of a year", "beside --state, or ~/.cache"
    )
    _option(run, "--run-dir", "RUN_DIR", Path, "folder below which relative bus paths lie", "the current one")
    _option(run, "--sun-offset-s", "SUN_OFFSET_S", int, "seconds from the time of day to the site's time", "0")
    _option(run, "--mqtt-url", "MQTT__URL", str, "broker of the MQTT meters, mqtt://host:port", "none")
    site = _command(commands, "site", _site, "show the site and its meters")
    _common(site)
    site.add_argument(
        "--sun-offset",
        action="store_true",
        default=_is_set("SUN_OFFSET"),
        help="with the offset in seconds that makes it 10:00 of a June day there now (env: PEERWATT_SIM_SUN_OFFSET=1)",
    )
    check = _command(commands, "replay-check", _replay_check, "check a replay file against the configured meters")
    _common(check)
    check.add_argument("file", type=Path, metavar="FILE.csv", help="CSV file of a time and W per meter")
    shown = _command(commands, "version", _version, "show the version")
    _json(shown)
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    command: Callable[[argparse.Namespace], None],
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    _option(parser, "--config", "CONFIG", Path, "TOML file over the built-in campus", "none")
    _option(parser, "--seed", "SEED", int, "number that serials, first registers and loads follow from", "1")
    _json(parser)


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json",
        action="store_true",
        default=_is_set("JSON"),
        help="logs on stderr and results on stdout as JSON (env: PEERWATT_SIM_JSON=1)",
    )


def _is_set(name: str) -> bool:
    return os.environ.get(f"PEERWATT_SIM_{name}", "") not in {"", "0", "false"}


def _option(
    parser: argparse.ArgumentParser, flag: str, twin: str, kind: Callable[[str], Any], text: str, otherwise: str
) -> None:
    """Adds a flag; ``otherwise`` says what holds without it."""
    env = f"PEERWATT_SIM_{twin}"
    # Settings are read from the environment by ``load_settings``, whose messages name the fault
    default = None if twin in {"SEED", "SUN_OFFSET_S", "RUN_DIR", "MQTT__URL"} else os.environ.get(env) or None
    parser.add_argument(
        flag,
        type=kind,
        default=default,
        metavar=flag.rpartition("-")[2].upper(),
        help=f"{text} (env: {env}; default {otherwise})",
    )


def _settings(args: argparse.Namespace) -> Settings:
    names = ("seed", "sun_offset_s", "run_dir")
    flags: dict[str, Any] = {name: getattr(args, name) for name in names if getattr(args, name, None) is not None}
    if getattr(args, "mqtt_url", None):
        flags["mqtt"] = {"url": args.mqtt_url}
    return load_settings(args.config, **flags)


def _run(args: argparse.Namespace) -> None:
    from firmware_sim.run import make_options, simulate

    settings = _settings(args)
    simulate(make_options(settings, replay=args.replay, truth=args.truth, state=args.state, cache_dir=args.cache_dir))


def _site(args: argparse.Namespace) -> None:
    from firmware_sim.overview import overview, overview_text

    shown = overview(_settings(args), june_morning=args.sun_offset)
    _print(json.dumps(shown, indent=2) if args.json else overview_text(shown))


def _replay_check(args: argparse.Namespace) -> None:
    from firmware_sim.replay import load_replay

    power = load_replay(args.file, [meter.id for meter in _settings(args).meter])
    facts = {"ok": True, "rows": len(power.times), "first_s": power.times[0], "span_s": power.span_s}
    _print(json.dumps(facts) if args.json else f"{args.file}: {facts['rows']} rows over {facts['span_s']} s, usable")


def _version(args: argparse.Namespace) -> None:
    _print(json.dumps({"version": version("peerwatt")}) if args.json else f"peerwatt-sim {version('peerwatt')}")


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
