"""`peerwatt-hub demo`: checks the machine, runs the campus until Ctrl-C or until enough is settled, reports."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hub.demo.boot import Running, run_demo
from hub.demo.report import close_the_books
from hub.demo.repository import settled_with_trades
from hub.demo.state import open_state
from hub.errors import ConfigError
from hub.settings import Settings, add_json_argument

DEFAULT_PORT = 8080
LOOK_EVERY_S = 0.5
PATIENCE_INTERVALS, PATIENCE_S = 3, 300
"""How long `--until-settled` waits for one more interval with trades."""


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
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    if args.interval < 30 or 3600 % args.interval:
        raise ConfigError(f"--interval {args.interval}: choose a divisor of 3600 s, from 30 s up")
    if args.until_settled is not None and args.until_settled < 1:
        raise ConfigError("--until-settled takes a number of intervals, 1 or more")
    with open_state(args.state) as state, contextlib.closing(_listen(args.port)) as web, asyncio.Runner() as runner:
        interval_s = _interval(state.recall(), args.interval)
        return runner.run(_demo(args, lambda: run_demo(state, interval_s=interval_s, web=web, say=_say)))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _interval(recalled: dict[str, object], asked: int) -> int:
    """The programs fix the interval's length when they are founded."""
    before = recalled.get("interval_s", asked)
    if before != asked:
        raise ConfigError(
            f"This state folder settles every {before} s: start it with --interval {before}, or use another --state DIR"
        )
    return asked


def _listen(asked: int) -> socket.socket:
    """The web app's socket, held from the start on, so that two demos that start together do not both want a port."""
    if not 0 <= asked <= 65_535:
        raise ConfigError(f"--port {asked}: choose one from 1024 to 65535, or 0 for {DEFAULT_PORT} or a free one")
    try:
        return socket.create_server(("127.0.0.1", asked or DEFAULT_PORT), backlog=256)
    except PermissionError as error:
        raise ConfigError(f"Port {asked} is for the system: choose one from 1024 up with --port") from error
    except OSError as error:
        if asked:
            raise ConfigError(
                f"Port {asked} is taken: stop what listens there, or choose another with --port"
            ) from error
        return socket.create_server(("127.0.0.1", 0), backlog=256)


async def _demo(args: argparse.Namespace, start: Callable[[], contextlib.AbstractAsyncContextManager[Running]]) -> int:
    stop = asyncio.Event()
    main = asyncio.current_task()
    assert main is not None  # noqa: S101 - we are in one

    def on_signal() -> None:
        # a signal while the parts start ends the start; afterwards it ends the waiting; a second one changes nothing
        if not ready.is_set() and not stop.is_set():
            main.cancel()
        stop.set()

    ready = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    try:
        code = 0
        async with start() as demo:
            ready.set()
            _greet(demo)
            if args.until_settled is None:
                await stop.wait()
            else:
                code = await _until_settled(demo, args.until_settled, stop, as_json=args.json)
    except asyncio.CancelledError:
        _say("stopped before everything was up; the next start goes on from here")
        return 130
    _say("stopped; the next start goes on from here")
    return code


def _greet(demo: Running) -> None:
    site, interval_s = _site_time(demo.settings), demo.settings.interval_s
    # the rest of the running interval and a whole one, then a minute for grace and settlement
    minutes = -(-(2 * interval_s + 60) // 60)
    _say(
        f"\n  Peerwatt runs at  {demo.url}\n"
        f"  sign in as        {demo.email}\n"
        f"  password          {demo.password}\n"
        f"  also              operator@campus.example, same password\n"
        f"  clock at the site {site:%H:%M} on a day in {site:%B}, so that the sun shines\n"
        f"  an interval       {interval_s} s; the first whole one is settled within {minutes} minutes\n"
        f"  stop              Ctrl-C; the next start goes on from here\n"
    )


async def _until_settled(demo: Running, wanted: int, stop: asyncio.Event, *, as_json: bool) -> int:
    patience_s = PATIENCE_INTERVALS * demo.settings.interval_s + PATIENCE_S
    starts, missed = await wait_for_intervals(demo, wanted, stop, patience_s=patience_s)
    if missed is not None:
        _say(missed)
    report = await close_the_books(demo.pool, demo.settings, starts, missed=missed)
    print(json.dumps(report) if as_json else json.dumps(report, indent=2), flush=True)
    return 0 if report["reconciled"] else 1


async def wait_for_intervals(
    demo: Running, wanted: int, stop: asyncio.Event, *, patience_s: float
) -> tuple[list[datetime], str | None]:
    """The first intervals from now on that are reconciled with trades, and why they are fewer than wanted, if so.

    Ends when ``patience_s`` pass without one more, or with ``stop``.
    """
    since = datetime.now(UTC)
    starts: list[datetime] = []
    deadline_s = time.monotonic() + patience_s
    while len(starts) < wanted:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)
        async with demo.pool.acquire() as connection:
            found = await settled_with_trades(connection, since)
        if len(found) > len(starts):
            _say(f"settled and reconciled: {min(len(found), wanted)} of {wanted} intervals")
            deadline_s = time.monotonic() + patience_s
        starts = found[:wanted]
        if len(starts) < wanted and stop.is_set():
            return starts, f"stopped after {len(starts)} of {wanted} intervals"
        if len(starts) < wanted and time.monotonic() >= deadline_s:
            return starts, (
                f"no interval with trades was settled for {patience_s:.0f} s ({len(starts)} of {wanted}, and at the "
                f"site it is {_site_time(demo.settings):%H:%M}): see {demo.settings.state_dir / 'logs'}, or start "
                f"again; a start is always by day"
            )
    return starts, None


def _site_time(settings: Settings) -> datetime:
    return (datetime.now(UTC) + timedelta(seconds=settings.sun_offset_s)).astimezone(ZoneInfo(settings.site_timezone))
