"""Reading real Modbus servers: every profile, both kinds of wire, and everything a bus can do wrong."""

import asyncio

import pytest

from edge.errors import ImplausibleError, MeterError, MeterRefusedError, MeterTimeoutError
from edge.meters.endpoints import parse_endpoint
from edge.meters.meter import ModbusMeter
from edge.meters.modbus import Bus, Timing
from edge.meters.plan import Block
from edge.meters.profile import load_profile, profile_names
from edge.runtime.clock import ManualClock, SystemClock
from edge.wire.quantities import ACTIVE_POWER
from support.servers.modbus_meters import Meter, meter_registers, serve_rtu, serve_tcp, words

SERIALS = {"em340": "KE24004", "umg96rm": ""}
PATIENT = Timing(reply_s=1.5, worst_reply_s=2.0, silence_s=0)


def meter(profile: str, url: str, bus: Bus | None = None, power_w: int = 60_000) -> ModbusMeter:
    endpoint = parse_endpoint(url)
    return ModbusMeter("METER_001", load_profile(profile), endpoint, bus or Bus(endpoint), ("16.7.0",), power_w)


@pytest.mark.parametrize("profile", profile_names())
@pytest.mark.parametrize("transport", ["tcp", "rtutcp"])
async def test_every_profile_over_tcp(profile: str, transport: str) -> None:
    served = Meter(meter_registers(profile, 1_234_500, 67_800, -4_321))
    async with serve_tcp({7: served}, rtu=transport == "rtutcp") as port:
        read = meter(profile, f"{transport}://127.0.0.1:{port}?device=7")
        reading = await read.read(1_780_000_000, ManualClock(1_780_000_000_250))
        read.bus.close()
    assert (reading.import_wh, reading.export_wh) == (1_234_500, 67_800)
    assert reading.quantities == ((ACTIVE_POWER, -4_321, 0),)
    assert reading.serial == SERIALS.get(profile, reading.serial)
    assert (reading.slot_s, reading.read_at_ms) == (1_780_000_000, 1_780_000_000_250)
    assert len(served.asked) <= 3, "block reads, not single ones"


async def test_a_serial_line_with_two_devices() -> None:
    first, second = Meter(meter_registers("sdm630", 1_000, 2, 3)), Meter(meter_registers("sdm120", 4_000, 5, 6))
    async with serve_rtu({1: first, 2: second}) as line:
        url = f"rtu://{line.path}?baud=115200&device="
        bus = Bus(parse_endpoint(url + "1"))
        sdm630, sdm120 = meter("sdm630", url + "1", bus), meter("sdm120", url + "2", bus)
        readings = await asyncio.gather(sdm630.read(0, SystemClock()), sdm120.read(0, SystemClock()))
        bus.close()
    assert [(r.import_wh, r.export_wh) for r in readings] == [(1_000, 2), (4_000, 5)]


async def test_a_late_reply_is_never_taken_for_the_next_answer() -> None:
    """The reply to 0x48 comes after its time-out, but before the one to 0x0C, which has the same length, would.

    The right answer has 0.9 s to spare, so that a busy machine does not make it late.
    """
    served = Meter({0x0C: words(11.0, "FLOAT32"), 0x48: words(99.0, "FLOAT32")})
    async with serve_rtu({1: served}) as line:
        bus = Bus(parse_endpoint(f"rtu://{line.path}?baud=115200&device=1"))
        line.delays_s = [1.8, 0.6]
        async with bus.device(1, PATIENT) as device:
            with pytest.raises(MeterTimeoutError):
                await device.read([Block("input", 0x48, 2)])
            answer = await device.read([Block("input", 0x0C, 2)])
        bus.close()
    assert answer[Block("input", 0x0C, 2)] == words(11.0, "FLOAT32")


async def test_a_dead_device_does_not_hold_the_bus() -> None:
    served = Meter(meter_registers("sdm630", 1_000, 2, 3))
    async with serve_rtu({1: served}) as line:
        url = f"rtu://{line.path}?baud=115200&device="
        bus = Bus(parse_endpoint(url + "1"))
        dead, alive = meter("sdm630", url + "9", bus), meter("sdm630", url + "1", bus)
        line.mute = True
        with pytest.raises(MeterTimeoutError, match="device 9"):
            await dead.read(0, SystemClock())
        line.mute = False
        assert (await alive.read(0, SystemClock())).import_wh == 1_000
        bus.close()


async def test_an_unknown_address_is_named() -> None:
    async with serve_tcp({1: Meter({0x00: [1, 2]})}) as port:
        read = meter("sdm630", f"tcp://127.0.0.1:{port}?device=1")
        with pytest.raises(MeterRefusedError, match="illegal address"):
            await read.read(0, SystemClock())
        read.bus.close()


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("tcp://127.0.0.1:1?device=1", "check host, port"),
        ("rtu:///nowhere/ttyUSB0?device=1", "check that /nowhere/ttyUSB0 exists"),
    ],
)
async def test_what_can_not_be_opened_says_what_to_check(url: str, what: str) -> None:
    with pytest.raises(MeterError, match=what):
        await meter("sdm630", url).read(0, SystemClock())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -5.0])
async def test_registers_that_can_not_be_true(value: float) -> None:
    registers = meter_registers("sdm630", 0, 0, 0) | {0x48: words(value, "FLOAT32")}
    async with serve_tcp({1: Meter(registers)}) as port:
        read = meter("sdm630", f"tcp://127.0.0.1:{port}?device=1")
        with pytest.raises(ImplausibleError):
            await read.read(0, SystemClock())
        read.bus.close()


async def test_power_beyond_what_the_meter_can_measure() -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 0, 0, 200_000))}) as port:
        read = meter("sdm630", f"tcp://127.0.0.1:{port}?device=1")
        with pytest.raises(ImplausibleError, match="60000 W"):
            await read.read(0, SystemClock())
        read.bus.close()
