"""Puts the simulator together (registers, power, listeners, buses, publishers) and runs it until told to stop."""

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

from firmware_sim.clock import Clock, SystemClock
from firmware_sim.desk import Desk, Device, Shared
from firmware_sim.errors import ListenError
from firmware_sim.fleet import Fleet
from firmware_sim.meter import Registers
from firmware_sim.modbus_server import listen
from firmware_sim.mqtt_payloads import DIALECTS
from firmware_sim.mqtt_publisher import Broker, Publication, publish_all
from firmware_sim.power import ModelPower, PowerSource, Years
from firmware_sim.register_maps import MAPS
from firmware_sim.registers import RegisterMap
from firmware_sim.replay import load_replay
from firmware_sim.rtu_bus import bus
from firmware_sim.series import Request, load_year
from firmware_sim.settings import Meter, Settings, listener
from firmware_sim.state import locked, read_ports, read_state, write_ports
from firmware_sim.truth import TruthLog

KEEP_PERIOD_S = 2
AHEAD_S = 86_400
STOP_ROUNDS = 4
STOP_ROUND_S = 0.5


@dataclass(frozen=True)
class Plan:
    """What one run needs beside the settings."""

    settings: Settings
    replay: Path | None
    truth: Path | None
    state: Path | None
    cache_dir: Path
    clock: Clock


def make_plan(
    settings: Settings, *, replay: Path | None, truth: Path | None, state: Path | None, cache_dir: Path | None
) -> Plan:
    """Fills in the cache folder: beside the state, or the user's own."""
    own = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "peerwatt-sim"
    return Plan(settings, replay, truth, state, cache_dir or (state.parent if state else own), SystemClock())


def simulate(plan: Plan) -> None:
    """Runs until SIGTERM or SIGINT.

    Raises:
        SimError: a setting, file, port or bus keeps it from running.
    """
    if plan.state is None:
        asyncio.run(_run(plan, {}))
        return
    with locked(plan.state):
        asyncio.run(_run(plan, read_state(plan.state)))


async def _run(plan: Plan, kept: Mapping[str, Registers]) -> None:
    settings, loop = plan.settings, asyncio.get_running_loop()
    failed: asyncio.Future[None] = loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, failed)
    broker = Broker.of(settings.mqtt) if any(m.transport == "mqtt" for m in settings.meter) else None
    source, years = power_source(plan)
    now_s = plan.clock.now_ms() // 1000
    if years is not None:
        years.prepare(now_s + settings.sun_offset_s)
        now_s = plan.clock.now_ms() // 1000
    fleet = Fleet(settings, source, kept, now_s, plan.state)
    shared = Shared(fleet, TruthLog(plan.truth), plan.clock, failed)
    tasks: list[asyncio.Task[None]] = []
    async with AsyncExitStack() as stack:
        stack.callback(shared.truth.close)
        ports = _Ports(plan.state)
        places = await _open(stack, shared, settings, ports)
        ports.keep()
        tasks.append(loop.create_task(_keep(shared, years, settings.sun_offset_s)))
        if broker is not None:
            publications = _publications(fleet, settings)
            tasks += publish_all(shared, broker, publications)
        _announce(places)
        try:
            await asyncio.wait([failed, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended = await _end(tasks)
    fleet.keep(plan.clock.now_ms() // 1000, sync=True)
    for end in ended:
        if isinstance(end, Exception):
            raise end
    if failed.done():
        failed.result()


def _stop(failed: asyncio.Future[None]) -> None:
    if not failed.done():
        failed.set_result(None)


def power_source(plan: Plan) -> tuple[PowerSource, Years | None]:
    """The replay file's power, or the model's with its yearly series."""
    settings = plan.settings
    if plan.replay is not None:
        return load_replay(plan.replay, [meter.id for meter in settings.meter]), None
    years = Years(lambda year: load_year(Request.of(settings, year), plan.cache_dir))
    return ModelPower(years, settings.meter, settings.seed), years


class _Ports:
    """Free ports, the same ones as last time where they are still free."""

    def __init__(self, state: Path | None) -> None:
        self._path = state.with_name(state.name + ".ports") if state else None
        self._last = read_ports(self._path) if self._path else {}
        self._now: dict[str, int] = {}

    async def open(self, stack: AsyncExitStack, desk: Desk, meter: Meter) -> int:
        name, rtu = listener(meter), meter.transport == "rtutcp"
        if meter.port == 0 and name in self._last:
            with contextlib.suppress(ListenError):
                self._now[name] = await stack.enter_async_context(listen(desk, meter.host, self._last[name], rtu=rtu))
                return self._now[name]
        port = await stack.enter_async_context(listen(desk, meter.host, meter.port, rtu=rtu))
        if meter.port == 0:
            self._now[name] = port
        return port

    def keep(self) -> None:
        if self._path is not None:
            write_ports(self._path, self._now)


async def _open(stack: AsyncExitStack, shared: Shared, settings: Settings, ports: _Ports) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[Meter]] = defaultdict(list)
    for meter in settings.meter:
        if meter.transport != "mqtt":
            groups[listener(meter)].append(meter)
    places: dict[str, dict[str, Any]] = {m.id: _mqtt_place(m) for m in settings.meter if m.transport == "mqtt"}
    for members in groups.values():
        desk = Desk(shared, {m.device: Device(shared.fleet.meters[m.id], _image(m)) for m in members})
        first = members[0]
        if first.path is not None and first.transport == "rtu":
            path = (settings.run_dir / first.path).absolute()
            stack.enter_context(bus(desk, path))
            where: dict[str, Any] = {"transport": "rtu", "path": str(path)}
        else:
            port = await ports.open(stack, desk, first)
            where = {"transport": first.transport, "host": first.host, "port": port}
        for member in members:
            places[member.id] = {**where, "device": member.device, "profile": member.profile}
    return {m.id: places[m.id] for m in settings.meter}


def _image(meter: Meter) -> RegisterMap:
    return MAPS[meter.profile]


def _mqtt_place(meter: Meter) -> dict[str, Any]:
    topic = DIALECTS[meter.profile].topic(meter.topic or meter.id)
    return {"transport": "mqtt", "topic": topic, "profile": meter.profile}


def _publications(fleet: Fleet, settings: Settings) -> dict[str, Publication]:
    return {
        m.id: Publication(fleet.meters[m.id], DIALECTS[m.profile], m.topic or m.id)
        for m in settings.meter
        if m.transport == "mqtt"
    }


def _announce(places: Mapping[str, Mapping[str, Any]]) -> None:
    sys.stdout.write(json.dumps({"ready": True, "meters": places}) + "\n")
    sys.stdout.flush()


async def _end(tasks: list[asyncio.Task[None]]) -> list[BaseException | None]:
    # More than once: before Python 3.12 wait_for, which the MQTT client uses, may swallow a cancellation
    for _ in range(STOP_ROUNDS):
        for task in tasks:
            task.cancel()
        _, late = await asyncio.wait(tasks, timeout=STOP_ROUND_S)
        if not late:
            break
    return [task.exception() for task in tasks if task.done() and not task.cancelled()]


async def _keep(shared: Shared, years: Years | None, sun_offset_s: int) -> None:
    while True:
        await asyncio.sleep(KEEP_PERIOD_S)
        now_s = shared.clock.now_ms() // 1000
        if years is not None:
            await asyncio.to_thread(years.prepare, now_s + sun_offset_s + AHEAD_S)
        shared.fleet.keep(now_s)
