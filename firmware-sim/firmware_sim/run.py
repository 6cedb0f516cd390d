"""Puts the simulator together (meters, power, listeners, buses, publishers) and runs it until it is told to stop."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from firmware_sim.clock import Clock, SystemClock
from firmware_sim.errors import ListenError
from firmware_sim.fleet import Fleet
from firmware_sim.modbus_responder import Device, ModbusResponder, SimulatorContext
from firmware_sim.modbus_server import listen
from firmware_sim.mqtt_payloads import DIALECTS
from firmware_sim.mqtt_publisher import Broker, Publication, publish_all
from firmware_sim.power import ModelPower, PowerSource, SeriesByYear
from firmware_sim.register_maps import MAPS
from firmware_sim.replay import load_replay
from firmware_sim.rtu_bus import serve_bus
from firmware_sim.scenario.file import LoadedScenario
from firmware_sim.scenario.play import ScenarioPlay
from firmware_sim.scenario.timeline import SiteClock, site_second
from firmware_sim.series import SeriesRequest, load_year
from firmware_sim.settings import Meter, Settings, listener_name
from firmware_sim.state import SavedState, locked, read_ports, read_state, write_ports
from firmware_sim.truth_log import TruthLog

SAVE_PERIOD_S = 2
PRELOAD_S = 86_400
"""How far ahead the series of a new year are loaded."""
CANCEL_ROUNDS, CANCEL_ROUND_S = 4, 0.5


@dataclass(frozen=True)
class RunOptions:
    """The settings of one run, its files and its clock."""

    settings: Settings
    replay: Path | None
    truth: Path | None
    state: Path | None
    cache_dir: Path
    clock: Clock
    hold_gaps: bool = False
    """Whether the power before a gap of the replay file holds over it; without, a gap is refused."""
    scenario: LoadedScenario | None = None
    """The faults that the meters have; None: none."""


def make_options(
    settings: Settings,
    *,
    replay: Path | None,
    truth: Path | None,
    state: Path | None,
    cache_dir: Path | None,
    hold_gaps: bool = False,
    scenario: LoadedScenario | None = None,
) -> RunOptions:
    """Makes the options; without a cache folder it is that of the state file, or the user's own."""
    user_cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "peerwatt-sim"
    cache = cache_dir or (state.parent if state else user_cache)
    return RunOptions(settings, replay, truth, state, cache, SystemClock(), hold_gaps, scenario)


def simulate(options: RunOptions) -> None:
    """Serves the meters until SIGTERM or SIGINT.

    Raises:
        SimError: a setting, file, port or bus keeps it from running or from going on.
    """
    if options.state is None:
        asyncio.run(_run(options, SavedState()))
        return
    with locked(options.state):
        asyncio.run(_run(options, read_state(options.state)))


async def _run(options: RunOptions, saved: SavedState) -> None:
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[None] = loop.create_future()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, _stop, failed)
    has_mqtt = any(meter.transport == "mqtt" for meter in options.settings.meter)
    broker = Broker.of(options.settings.mqtt) if has_mqtt else None
    source, years = power_source(options)
    played = saved.play if options.scenario and saved.play and saved.play.digest == options.scenario.digest else None
    now_s = options.clock.now_ms() // 1000
    if years is not None:
        start_s = now_s if played is None else played.start_s
        years.preload(now_s + on_scenario_day(options, start_s).sun_offset_s)
        now_s = options.clock.now_ms() // 1000
    # Only now: loading takes seconds, and site time is to be the scenario's own in this one
    start_s = now_s if played is None else played.start_s
    settings = on_scenario_day(options, start_s)
    play = _play_of(options.scenario, settings, start_s)
    fleet = Fleet(settings, source, saved.meters, now_s, options.state, play, played)
    context = SimulatorContext(fleet, TruthLog(options.truth), options.clock, failed)
    tasks: list[asyncio.Task[None]] = []
    async with AsyncExitStack() as stack:
        stack.callback(context.truth.close)
        ports = _Ports(options.state)
        endpoints = await _open_endpoints(stack, context, settings, ports)
        ports.save()
        tasks.append(loop.create_task(_save_regularly(context, years, settings.sun_offset_s)))
        if broker is not None:
            publications = _publications(fleet, settings)
            tasks += publish_all(context, broker, publications)
        _print_ready(endpoints)
        try:
            await asyncio.wait([failed, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            outcomes = await _cancel(tasks)
    fleet.save(options.clock.now_ms() // 1000, sync=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    if failed.done():
        failed.result()


def on_scenario_day(options: RunOptions, start_s: int) -> Settings:
    """Moves site time so that it is the scenario's own at its start (wall clock), unless it is moved already."""
    settings = options.settings
    start = None if options.scenario is None else options.scenario.scenario.start
    if start is None or settings.sun_offset_s:
        return settings
    offset_s = site_second(start, ZoneInfo(settings.site.tz)) - start_s
    return settings.model_copy(update={"sun_offset_s": offset_s})


def _play_of(loaded: LoadedScenario | None, settings: Settings, start_s: int) -> ScenarioPlay | None:
    if loaded is None:
        return None
    clock = SiteClock(start_s, settings.sun_offset_s, ZoneInfo(settings.site.tz))
    return ScenarioPlay(loaded, clock, tuple(meter.id for meter in settings.meter), settings.seed)


def _stop(failed: asyncio.Future[None]) -> None:
    if not failed.done():
        failed.set_result(None)


def power_source(options: RunOptions) -> tuple[PowerSource, SeriesByYear | None]:
    """Returns the power of the replay file, or the model and the series that it needs.

    Raises:
        ReplayError: the replay file is missing or wrong.
    """
    settings = options.settings
    if options.replay is not None:
        names = [meter.id for meter in settings.meter]
        return load_replay(options.replay, names, hold_gaps=options.hold_gaps), None
    years = SeriesByYear(lambda year: load_year(SeriesRequest.of(settings, year), options.cache_dir))
    return ModelPower(years, settings.meter, settings.seed), years


class _Ports:
    """Chooses free ports, those of the last run where they are still free."""

    def __init__(self, state: Path | None) -> None:
        self._path = state.with_name(state.name + ".ports") if state else None
        self._last = read_ports(self._path) if self._path else {}
        self._chosen: dict[str, int] = {}

    async def open(self, stack: AsyncExitStack, responder: ModbusResponder, meter: Meter) -> int:
        name, rtu = listener_name(meter), meter.transport == "rtutcp"
        if meter.port == 0 and name in self._last:
            with contextlib.suppress(ListenError):
                self._chosen[name] = await stack.enter_async_context(
                    listen(responder, meter.host, self._last[name], rtu=rtu)
                )
                return self._chosen[name]
        port = await stack.enter_async_context(listen(responder, meter.host, meter.port, rtu=rtu))
        if meter.port == 0:
            self._chosen[name] = port
        return port

    def save(self) -> None:
        """Saves the chosen ports for the next run."""
        if self._path is not None:
            write_ports(self._path, self._chosen)


async def _open_endpoints(
    stack: AsyncExitStack, context: SimulatorContext, settings: Settings, ports: _Ports
) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[Meter]] = defaultdict(list)
    for meter in settings.meter:
        if meter.transport != "mqtt":
            groups[listener_name(meter)].append(meter)
    endpoints: dict[str, dict[str, Any]] = {m.id: _mqtt_endpoint(m) for m in settings.meter if m.transport == "mqtt"}
    for members in groups.values():
        responder = ModbusResponder(
            context, {m.device: Device(context.fleet.meters[m.id], MAPS[m.profile]) for m in members}
        )
        first = members[0]
        if first.path is not None and first.transport == "rtu":
            path = (settings.run_dir / first.path).absolute()
            stack.enter_context(serve_bus(responder, path))
            endpoint: dict[str, Any] = {"transport": "rtu", "path": str(path)}
        else:
            port = await ports.open(stack, responder, first)
            endpoint = {"transport": first.transport, "host": first.host, "port": port}
        for member in members:
            endpoints[member.id] = {**endpoint, "device": member.device, "profile": member.profile}
    return {m.id: endpoints[m.id] for m in settings.meter}


def _mqtt_endpoint(meter: Meter) -> dict[str, Any]:
    topic = DIALECTS[meter.profile].topic(meter.topic or meter.id)
    return {"transport": "mqtt", "topic": topic, "profile": meter.profile}


def _publications(fleet: Fleet, settings: Settings) -> dict[str, Publication]:
    return {
        m.id: Publication(fleet.meters[m.id], DIALECTS[m.profile], m.topic or m.id)
        for m in settings.meter
        if m.transport == "mqtt"
    }


def _print_ready(endpoints: Mapping[str, Mapping[str, Any]]) -> None:
    sys.stdout.write(json.dumps({"ready": True, "meters": endpoints}) + "\n")
    sys.stdout.flush()


async def _cancel(tasks: list[asyncio.Task[None]]) -> list[BaseException | None]:
    """Cancels tasks, several times: before Python 3.12 wait_for, which the MQTT client uses, may swallow it."""
    for _ in range(CANCEL_ROUNDS):
        for task in tasks:
            task.cancel()
        _, late = await asyncio.wait(tasks, timeout=CANCEL_ROUND_S)
        if not late:
            break
    return [task.exception() for task in tasks if task.done() and not task.cancelled()]


async def _save_regularly(context: SimulatorContext, years: SeriesByYear | None, sun_offset_s: int) -> None:
    while True:
        await asyncio.sleep(SAVE_PERIOD_S)
        now_s = context.clock.now_ms() // 1000
        if years is not None:
            await asyncio.to_thread(years.preload, now_s + sun_offset_s + PRELOAD_S)
        context.fleet.save(now_s)
        context.log_labels()
