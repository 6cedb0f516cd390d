"""The poller: who is asked in which order, what is said and how often."""

import asyncio
import logging
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from edge.meters.endpoints import parse_endpoint
from edge.meters.meter import ModbusMeter
from edge.meters.meter_kind import MeterKind
from edge.meters.modbus import Bus
from edge.meters.points import Rules
from edge.meters.profile import load_profile
from edge.meters.readings import MeterReading
from edge.poller import Poller
from edge.record_builder import RecordBuilder
from edge.runtime.clock import Clock, ManualClock, TimeKeeper
from edge.wire.kinds import ClockStep, MeterDeclared, Reading, Start
from support.rows.gateway_ledger import kept_records
from support.servers.gateway import agent_in_process, modbus_gateway
from support.servers.modbus_meters import Meter, meter_registers, serve_tcp, words
from support.servers.nats import HubNats
from support.waiting import at_least, eventually


async def test_a_failing_meter_comes_last_pauses_and_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "edge")
    good = meter_registers("sdm630", 1_000, 2, 3)
    order: list[int] = []
    broken, sound = Meter(good | {0x48: words(float("nan"), "FLOAT32")}), Meter(good)
    clock, accepted = ManualClock(1_780_000_000_000), list[MeterReading]()
    async with serve_tcp({1: broken, 2: sound}) as port:
        endpoints = [parse_endpoint(f"tcp://127.0.0.1:{port}?device={number}") for number in (1, 2)]
        bus, profile = Bus(endpoints[0]), load_profile("sdm630")
        meters = [ModbusMeter(f"METER_00{endpoint.device}", profile, endpoint, bus, (), 9) for endpoint in endpoints]
        poller = Poller(meters, 10, clock, accepted.append)
        (polled,) = poller._buses.values()
        for number, meter in ((1, broken), (2, sound)):
            meter.asked = _Noting(order, number)
        await poller.poll_bus(polled, 1)
        assert order[0] == 1 and poller.lost == ["METER_001"]
        order.clear()
        clock.advance(1_999)
        await poller.poll_bus(polled, 2)
        assert set(order) == {2}, "the broken one pauses"
        order.clear()
        clock.advance(1)
        await poller.poll_bus(polled, 3)
        assert order[0] == 2 and order[-1] == 1, "the broken one comes last"
        broken.registers.update(good)
        clock.advance(300_000)
        await poller.poll_bus(polled, 4)
        bus.close()
    assert poller.lost == []
    assert [record.getMessage() for record in caplog.records] == ["meter lost", "meter back"]
    assert [(reading.meter_id, reading.slot_s) for reading in accepted] == [
        ("METER_002", 1), ("METER_002", 2), ("METER_002", 3), ("METER_002", 4), ("METER_001", 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "wrong", "quantities"),
    [
        ("sdm630", {0x48: words(3e38, "FLOAT32")}, ("16.7.0",)),
        ("abb-b23", {0x5000: [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE]}, ("16.7.0",)),
    ],
)
async def test_a_value_that_no_record_can_hold_is_that_meters_trouble_alone(
    profile: str, wrong: dict[int, list[int]], quantities: tuple[str, ...]
) -> None:
    clock = ManualClock(1_780_000_000_000)
    builder = RecordBuilder(TimeKeeper(clock, bytes(16)))
    registers = meter_registers(profile, 1_000, 2, 3)
    faulty, sound = Meter(registers | wrong), Meter(registers)
    async with serve_tcp({1: faulty, 2: sound}) as port:
        endpoints = [parse_endpoint(f"tcp://127.0.0.1:{port}?device={number}") for number in (1, 2)]
        bus, meter_profile = Bus(endpoints[0]), load_profile(profile)
        meters = [
            ModbusMeter(f"METER_00{p.device}", meter_profile, p, bus, quantities, meter_profile.max_power_w)
            for p in endpoints
        ]

        built = []

        def build(reading: MeterReading) -> None:
            builder.build(reading, MeterKind(profile, meter_profile.hash, Rules(meter_profile.max_power_w, 10_000)))
            built.append(reading.meter_id)

        poller = Poller(meters, 10, clock, build)
        (polled,) = poller._buses.values()
        await poller.poll_bus(polled, 1_780_000_000)
        bus.close()
    assert poller.lost == ["METER_001"]
    assert built == ["METER_002"]


async def test_a_meter_that_never_answers_costs_its_neighbours_no_slot() -> None:
    """Not even a first one: the neighbour's bus is another task."""
    endpoints = [parse_endpoint(f"tcp://127.0.0.1:{port}") for port in (1, 2)]
    meter_profile = load_profile("sdm630")
    hanging, sound = (ModbusMeter(f"METER_00{p.port}", meter_profile, p, Bus(p), (), 9) for p in endpoints)
    asked, accepted = asyncio.Event(), list[MeterReading]()

    async def never(slot_s: int, clock: Clock) -> MeterReading:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def at_once(slot_s: int, clock: Clock) -> MeterReading:
        await asked.wait()
        return MeterReading("METER_002", slot_s, clock.now_ms(), 1, 1)

    hanging.read, sound.read = never, at_once  # type: ignore[method-assign]
    clock = ManualClock(1_780_000_000_000)
    polling = asyncio.create_task(Poller([hanging, sound], 10, clock, accepted.append).run())
    for number in range(1, 5):
        await eventually(at_least(number, accepted), what="the neighbour's next slot")
        clock.advance(10_000)
    polling.cancel()
    await asyncio.wait([polling])
    assert [reading.slot_s - 1_780_000_000 for reading in accepted] == [0, 10, 20, 30]


async def test_a_step_of_the_clock_is_no_missed_slot() -> None:
    endpoint, accepted = parse_endpoint("tcp://127.0.0.1:1"), list[MeterReading]()
    meter = ModbusMeter("METER_001", load_profile("sdm630"), endpoint, Bus(endpoint), (), 9)

    async def at_once(slot_s: int, clock: Clock) -> MeterReading:
        return MeterReading("METER_001", slot_s, clock.now_ms(), 1, 1)

    meter.read = at_once  # type: ignore[method-assign]
    clock = ManualClock(1_780_000_000_000)
    polling = asyncio.create_task(Poller([meter], 10, clock, accepted.append).run())
    before = missed_slots()
    for number, (elapsed_ms, stepped_ms) in enumerate(
        [(0, 0), (10_000, 0), (10_000, 86_400_000), (30_000, 0)], start=1
    ):
        clock.advance(elapsed_ms)
        clock.step(stepped_ms)
        await eventually(at_least(number, accepted), what="the next slot")
    polling.cancel()
    await asyncio.wait([polling])
    assert missed_slots() - before == 2, "of the thirty seconds alone"


def missed_slots() -> float:
    value = REGISTRY.get_sample_value("peerwatt_edge_slots_missed_total")
    assert value is not None
    return value


class _Noting(list[tuple[int, int, int]]):
    """Notes whose turn it was."""

    def __init__(self, order: list[int], number: int) -> None:
        super().__init__()
        self._order, self._number = order, number

    def append(self, item: tuple[int, int, int]) -> None:
        self._order.append(self._number)
        super().append(item)


@pytest.mark.parametrize("step_ms", [1_795_990_000_000, 30_000, 1_000, -1_000, -30_000])
async def test_a_step_of_the_clock_while_a_meter_answers_costs_no_reading(
    hub_nats: HubNats, tmp_path: Path, step_ms: int
) -> None:
    """G6: the reading is kept at its time by the new clock, and the step is recorded before it."""
    begin_ms = 3_000_000 if step_ms > 10**9 else 1_780_000_000_250
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 3))}) as port:
        gw = modbus_gateway("gw-steps", tmp_path, {"METER_001": port})
        gw.enrol(hub_nats)
        moved = ManualClock(begin_ms)
        agent = agent_in_process(gw, moved)
        await agent._open_ledger()
        (bus,) = agent._poller._buses.values()
        meter = bus[0].meter
        in_time = meter.read

        async def read(slot_s: int, clock: Clock) -> MeterReading:
            moved.advance(40)
            moved.step(step_ms)
            return await in_time(slot_s, clock)

        meter.read = read  # type: ignore[method-assign]
        await agent._poller.poll_bus(bus, begin_ms // 1000)
        meter.bus.close()
        await agent._writer.store_rest()
        start, step, declared, reading = kept_records(agent._writer.ledger)
        await agent._writer.close()
    assert isinstance(start, Start) and isinstance(declared, MeterDeclared)
    assert isinstance(step, ClockStep) and step.offset_ms == step_ms
    assert isinstance(reading, Reading) and reading.import_wh == 1_000
    assert reading.slot_s * 1000 + reading.read_offset_ms == begin_ms + 40 + step_ms
    assert 0 <= reading.read_offset_ms < 1_000, "no slot of the old clock"
    assert agent._poller.lost == []


async def test_a_correction_of_the_clock_leaves_the_slot() -> None:
    moved, accepted = ManualClock(1_780_000_000_000), list[MeterReading]()
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 3))}) as port:
        endpoint = parse_endpoint(f"tcp://127.0.0.1:{port}")
        meter = ModbusMeter("METER_001", load_profile("sdm630"), endpoint, Bus(endpoint), (), 9)
        in_time = meter.read

        async def read(slot_s: int, clock: Clock) -> MeterReading:
            moved.advance(5_000)
            moved.step(999)
            return await in_time(slot_s, clock)

        meter.read = read  # type: ignore[method-assign]
        poller = Poller([meter], 10, moved, accepted.append)
        (bus,) = poller._buses.values()
        await poller.poll_bus(bus, 1_780_000_000)
        meter.bus.close()
    assert [(r.slot_s, r.read_at_ms) for r in accepted] == [(1_780_000_000, 1_780_000_005_999)]


async def test_the_newest_slot_that_every_bus_has_finished() -> None:
    clock = ManualClock(1_780_000_000_000)
    assert Poller([], 10, clock, lambda _reading: None).done_s == 2**63 - 1, "without a bus nothing is missing"
    endpoints = [parse_endpoint(f"tcp://127.0.0.1:{port}") for port in (1, 2)]
    meters = [ModbusMeter(f"METER_00{p.port}", load_profile("sdm630"), p, Bus(p), (), 9) for p in endpoints]
    poller = Poller(meters, 10, clock, lambda _reading: None)
    first, second = poller._buses.values()
    await poller.poll_bus(first, 1_780_000_000)
    assert poller.done_s == 0
    await poller.poll_bus(second, 1_779_999_990)
    assert poller.done_s == 1_779_999_990, "a meter that does not answer is finished, too"
    clock.step(-5_000)
    assert poller.done_s == 0, "the slot of the first bus is not finished by this clock"
    await poller.poll_bus(first, 1_779_999_995)
    assert poller.done_s == 1_779_999_990
