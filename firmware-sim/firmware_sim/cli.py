"""``peerwatt-sim run | scenario | list | site | replay-check | version``; an environment variable for every flag."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firmware_sim.errors import ConfigError, SimError
from firmware_sim.logs import configure_logs
from firmware_sim.settings import Settings, load_settings

if TYPE_CHECKING:
    from firmware_sim.run import RunOptions

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
    _option(
        run, "--scenario", "SCENARIO", str, "file of faults that the meters have, or the name of a shipped one", "none"
    )
    _serving(run)
    played = _command(commands, "scenario", _scenario, "serve the meters with the faults of a scenario, as run does")
    played.add_argument("scenario", metavar="FILE|NAME", help="TOML file of faults, or the name of a shipped one")
    _option(played, "--offline", "OFFLINE", Path, "folder for readings, truth and labels; nothing is served",
            "none")  # fmt: skip
    _serving(played)
    listed = _command(commands, "list", _list, "show the scenarios that come with the simulator")
    _json(listed)
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
    _hold_gaps(check)
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


def _serving(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of what serves meters."""
    _common(parser)
    _option(
        parser, "--replay", "REPLAY", Path, "CSV file of a time and W per meter, in place of the model", "the model"
    )
    _hold_gaps(parser)
    _option(parser, "--truth", "TRUTH", Path, "file that gets a JSON line on every energy register served", "none")
    _option(parser, "--state", "STATE", Path, "file that keeps the registers over a restart", "none, each start is new")
    _option(
        parser, "--cache-dir", "CACHE_DIR", Path, "folder of the built series of a year", "beside --state, or ~/.cache"
    )
    _option(parser, "--run-dir", "RUN_DIR", Path, "folder below which relative bus paths lie", "the current one")
    _option(parser, "--sun-offset-s", "SUN_OFFSET_S", int, "seconds from the time of day to the site's time", "0")
    _option(parser, "--mqtt-url", "MQTT__URL", str, "broker of the MQTT meters, mqtt://host:port", "none")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json",
        action="store_true",
        default=_is_set("JSON"),
        help="logs on stderr and results on stdout as JSON (env: PEERWATT_SIM_JSON=1)",
    )


def _hold_gaps(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--hold-gaps",
        action="store_true",
        default=_is_set("HOLD_GAPS"),
        help="hold the power before a gap of the replay file over it; without, a gap is refused "
        "(env: PEERWATT_SIM_HOLD_GAPS=1)",
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


def _options(args: argparse.Namespace) -> "RunOptions":
    from firmware_sim.run import make_options
    from firmware_sim.scenario.file import load_scenario

    settings = _settings(args)
    return make_options(
        settings,
        replay=args.replay,
        truth=args.truth,
        state=args.state,
        cache_dir=args.cache_dir,
        hold_gaps=args.hold_gaps,
        scenario=load_scenario(args.scenario, settings.meter) if args.scenario else None,
    )


def _run(args: argparse.Namespace) -> None:
    from firmware_sim.run import simulate

    simulate(_options(args))


def _scenario(args: argparse.Namespace) -> None:
    if args.offline is None:
        _run(args)
        return
    from firmware_sim.offline import OfflinePlay, write_offline
    from firmware_sim.run import power_source

    options = _options(args)
    if options.scenario is None:
        raise ConfigError("The scenario has no name: give a file, or a name that `peerwatt-sim list` shows")
    play = OfflinePlay(options.scenario, options.settings, power_source(options)[0])
    counts = write_offline(play, args.offline)
    text = ", ".join(f"{count} {name}" for name, count in counts.items())
    _print(json.dumps({"ok": True, **counts}) if args.json else f"{args.offline}: {text}")


def _list(args: argparse.Namespace) -> None:
    from firmware_sim.scenario.file import read_scenario, shipped

    abouts = {name: read_scenario(path).scenario.about for name, path in shipped().items()}
    _print(json.dumps(abouts) if args.json else "\n".join(f"{name:<20} {about}" for name, about in abouts.items()))


def _site(args: argparse.Namespace) -> None:
    from firmware_sim.overview import overview, overview_text

    shown = overview(_settings(args), june_morning=args.sun_offset)
    _print(json.dumps(shown, indent=2) if args.json else overview_text(shown))


def _replay_check(args: argparse.Namespace) -> None:
    from firmware_sim.replay import load_replay

    power = load_replay(args.file, [meter.id for meter in _settings(args).meter], hold_gaps=args.hold_gaps)
    facts = {"ok": True, "rows": len(power.times), "first_s": power.times[0], "span_s": power.span_s}
    _print(json.dumps(facts) if args.json else f"{args.file}: {facts['rows']} rows over {facts['span_s']} s, usable")


def _version(args: argparse.Namespace) -> None:
    _print(json.dumps({"version": version("peerwatt")}) if args.json else f"peerwatt-sim {version('peerwatt')}")


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
