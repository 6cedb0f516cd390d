"""`peerwatt-hub demo`: checks the machine, runs the campus until Ctrl-C or until enough is settled, prints a report."""

import argparse
import asyncio
import contextlib
import json
import math
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hub.demo.boot import Running, run_demo
from hub.demo.closing import close, in_words
from hub.demo.gateways import FIRST_READINGS_MS
from hub.demo.repository import attested_between, settled_with_trades
from hub.demo.state import open_state
from hub.errors import ConfigError
from hub.settings import Settings, add_json_argument

DEFAULT_PORT = 8080
FAULTS = "demo"
"""The scenario of `--faults` when no other is named."""
CHECK_EVERY_S = 0.5
MAX_WAIT_INTERVALS, MAX_WAIT_S = 3, 300
"""How long `--until-settled` waits for the next interval with trades: so many intervals and seconds."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    env = os.environ.get
    parser.add_argument(
        "--state", type=Path, default=Path(env("PEERWATT_HUB_DEMO_STATE", ".state/demo")), metavar="DIR",
        help="folder that keeps the demo over restarts (env: PEERWATT_HUB_DEMO_STATE; default .state/demo)",
    )  # fmt: skip
    parser.add_argument(
        "--interval", type=int, default=env("PEERWATT_HUB_INTERVAL_S", "60"), metavar="SECONDS",
        help="seconds of an interval, a divisor of 3600 from 30 up (env: PEERWATT_HUB_INTERVAL_S; default 60)",
    )  # fmt: skip
    parser.add_argument(
        "--port", type=int, default=env("PEERWATT_HUB_WEB_PORT", "0"),
        help=f"the web app's port on 127.0.0.1; 0 = {DEFAULT_PORT}, or a free one when that is taken "
        "(env: PEERWATT_HUB_WEB_PORT; default 0)",
    )  # fmt: skip
    parser.add_argument(
        "--until-settled", type=int, metavar="N", default=env("PEERWATT_HUB_UNTIL_SETTLED"),
        help="stop after N whole intervals with trades are reconciled, or when minutes pass without one "
        "(env: PEERWATT_HUB_UNTIL_SETTLED; default until Ctrl-C)",
    )  # fmt: skip
    parser.add_argument(
        "--minutes", type=int, metavar="N", default=env("PEERWATT_HUB_MINUTES"),
        help="stop after N minutes, up to 1440, when all whole intervals of them are reconciled "
        "(env: PEERWATT_HUB_MINUTES; default until Ctrl-C)",
    )  # fmt: skip
    parser.add_argument(
        "--faults", nargs="?", const=FAULTS, default=env("PEERWATT_HUB_FAULTS") or None, metavar="SCENARIO",
        help="let the meters have the faults of this scenario of the simulator, a name or file; without one `demo`, "
        "which is an hour of faults. Needs a new state folder (env: PEERWATT_HUB_FAULTS=NAME; default none)",
    )  # fmt: skip
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    if args.interval < 30 or 3600 % args.interval:
        raise ConfigError(f"--interval {args.interval}: choose a divisor of 3600 s, from 30 s up")
    if args.until_settled is not None and args.until_settled < 1:
        raise ConfigError("--until-settled takes a number of intervals, 1 or more")
    if args.minutes is not None and args.until_settled is not None:
        raise ConfigError("--until-settled and --minutes both say when to stop: leave one out")
    if args.minutes is not None and not args.interval <= args.minutes * 30 <= 1440 * 30:
        raise ConfigError(f"--minutes {args.minutes}: choose from two intervals to 1440 minutes")
    with open_state(args.state) as state, contextlib.closing(_listen(args.port)) as web, asyncio.Runner() as runner:
        interval_s = _checked_interval(state.load_values(), args.interval)
        scenario = _checked_scenario(state.load_values(), args.faults)
        return runner.run(
            _demo(args, lambda: run_demo(state, interval_s=interval_s, web=web, output=_print, scenario=scenario))
        )


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _checked_interval(saved_values: dict[str, object], requested_s: int) -> int:
    """Returns the interval's length, which can not change once the programs were set up with it."""
    saved_s = saved_values.get("interval_s", requested_s)
    if saved_s != requested_s:
        raise ConfigError(
            f"This state folder settles every {saved_s} s: start it with --interval {saved_s}, "
            "or use another --state DIR"
        )
    return requested_s


def _checked_scenario(saved_values: dict[str, object], requested: str | None) -> str | None:
    """Returns the scenario, which can not change once meters were read: their registers would for no reason."""
    saved = saved_values.get("scenario")
    if saved_values and saved != requested:
        with_which = "without --faults" if saved is None else f"with --faults {saved}"
        raise ConfigError(f"This state folder was made {with_which}: start it so, or use another --state DIR")
    return requested


def _listen(port: int) -> socket.socket:
    """Opens the web app's socket at once, so that two demos that start together do not choose the same port."""
    if not 0 <= port <= 65_535:
        raise ConfigError(f"--port {port}: choose one from 1024 to 65535, or 0 for {DEFAULT_PORT} or a free one")
    try:
        return socket.create_server(("127.0.0.1", port or DEFAULT_PORT), backlog=256)
    except PermissionError as error:
        raise ConfigError(f"Port {port} is for the system: choose one from 1024 up with --port") from error
    except OSError as error:
        if port:
            raise ConfigError(
                f"Port {port} is taken: stop what listens there, or choose another with --port"
            ) from error
        return socket.create_server(("127.0.0.1", 0), backlog=256)


async def _demo(args: argparse.Namespace, start: Callable[[], contextlib.AbstractAsyncContextManager[Running]]) -> int:
    stop_event = asyncio.Event()
    main_task = asyncio.current_task()
    assert main_task is not None  # noqa: S101 - this is a task

    def on_signal() -> None:
        # the first signal ends the start, or the wait after it; another one changes nothing
        if not ready.is_set() and not stop_event.is_set():
            main_task.cancel()
        stop_event.set()

    ready = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signal_number, on_signal)
    try:
        code = 0
        async with start() as demo:
            ready.set()
            _print_sign_in(demo)
            if args.minutes is not None:
                code = await _for_minutes(demo, args.minutes, stop_event, as_json=args.json)
            elif args.until_settled is not None:
                code = await _until_settled(demo, args, stop_event)
            else:
                await stop_event.wait()
    except asyncio.CancelledError:
        _print("stopped before everything was up; the next start goes on from here")
        return 130
    _print("stopped; the next start goes on from here")
    return code


def _print_sign_in(demo: Running) -> None:
    site_time, interval_s = _site_time(demo.settings), demo.settings.interval_s
    # the rest of the running interval, a whole one, a minute for the grace and settlement
    minutes = -(-(2 * interval_s + 60) // 60)
    _print(
        f"\n  Peerwatt runs at  {demo.url}\n"
        f"  sign in as        {demo.email}\n"
        f"  password          {demo.password}\n"
        f"  also              operator@campus.example, same password\n"
        f"  clock at the site {site_time:%H:%M} on a day in {site_time:%B}, so that the sun shines\n"
        f"  an interval       {interval_s} s; the first whole one is settled within {minutes} minutes\n"
        f"  stop              Ctrl-C; the next start goes on from here\n"
    )


async def _until_settled(demo: Running, args: argparse.Namespace, stop: asyncio.Event) -> int:
    max_wait_s = MAX_WAIT_INTERVALS * demo.settings.interval_s + MAX_WAIT_S
    since = datetime.now(UTC)
    starts, missed = await wait_for_intervals(demo, args.until_settled, stop, max_wait_s=max_wait_s)
    if args.faults and missed is None:
        # a fault may keep everybody from trading, and an interval must be right all the same
        async with demo.pool.acquire() as connection:
            last_end = starts[-1] + timedelta(seconds=demo.settings.interval_s)
            starts = await attested_between(connection, since, last_end)
    return await _print_report(demo, starts, missed, stop, as_json=args.json)


async def _for_minutes(demo: Running, minutes: int, stop: asyncio.Event, *, as_json: bool) -> int:
    """Runs so many minutes, and reports on all intervals that began and ended in them."""
    # from when on meters are expected
    since = datetime.now(UTC) + timedelta(milliseconds=FIRST_READINGS_MS)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), 60 * minutes)
    if stop.is_set():
        return await _print_report(demo, [], "stopped before its time was over", stop, as_json=as_json)
    until, interval_s = datetime.now(UTC), demo.settings.interval_s
    wanted = math.floor(until.timestamp() / interval_s) - math.ceil(since.timestamp() / interval_s)
    starts: list[datetime] = []
    deadline_s = time.monotonic() + MAX_WAIT_S
    while len(starts) < wanted and time.monotonic() < deadline_s and not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), CHECK_EVERY_S)
        async with demo.pool.acquire() as connection:
            starts = await attested_between(connection, since, until)
    missed = None if len(starts) >= wanted else f"{len(starts)} of {wanted} intervals were attested in time"
    return await _print_report(demo, starts, missed, stop, as_json=as_json)


async def _print_report(
    demo: Running, starts: Sequence[datetime], missed: str | None, stop: asyncio.Event, *, as_json: bool
) -> int:
    if missed is not None:
        _print(missed)
    report = await close(demo, starts, stop, _print, missed=missed)
    for line in in_words(report) if missed is None else ():
        _print(line)
    print(json.dumps(report) if as_json else json.dumps(report, indent=2), flush=True)
    return 0 if report["reconciled"] else 1


async def wait_for_intervals(
    demo: Running, count: int, stop: asyncio.Event, *, max_wait_s: float
) -> tuple[list[datetime], str | None]:
    """Returns the first ``count`` intervals from now on that are reconciled with trades, and why they are fewer.

    Ends when ``max_wait_s`` pass without another one, or with ``stop``; the reason is None if all are there.
    """
    since = datetime.now(UTC)
    starts: list[datetime] = []
    deadline_s = time.monotonic() + max_wait_s
    while len(starts) < count:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), CHECK_EVERY_S)
        async with demo.pool.acquire() as connection:
            settled = await settled_with_trades(connection, since)
        if len(settled) > len(starts):
            _print(f"settled and reconciled: {min(len(settled), count)} of {count} intervals")
            deadline_s = time.monotonic() + max_wait_s
        starts = settled[:count]
        if len(starts) < count and stop.is_set():
            return starts, f"stopped after {len(starts)} of {count} intervals"
        if len(starts) < count and time.monotonic() >= deadline_s:
            return starts, (
                f"no interval with trades was settled for {max_wait_s:.0f} s ({len(starts)} of {count}, and at the "
                f"site it is {_site_time(demo.settings):%H:%M}): see {demo.settings.state_dir / 'logs'}, or start "
                f"again; a start is always by day"
            )
    return starts, None


def _site_time(settings: Settings) -> datetime:
    return (datetime.now(UTC) + timedelta(seconds=settings.sun_offset_s)).astimezone(ZoneInfo(settings.site_timezone))
