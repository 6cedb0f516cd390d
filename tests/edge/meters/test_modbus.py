"""Reading real Modbus servers: every profile, both kinds of wire, and everything a bus can do wrong."""

import asyncio

import pytest

from edge.errors import ImplausibleError, MeterError, MeterRefusedError, MeterTimeoutError
from edge.meters.endpoints import parse_endpoint
from edge.meters.meter import ModbusMeter
from edge.meters.modbus import Bus, Timing
from edge.meters.plan import Block, plan_blocks
from edge.meters.profile import load_profile, profile_names
from edge.runtime.clock import ManualClock, SystemClock
from edge.wire.quantities import ACTIVE_POWER, obis
from support.servers.modbus_meters import Meter, meter_registers, serve_rtu, serve_tcp, words

SERIALS = {"em340": "KE24004", "umg96rm": ""}
FREQUENCY = obis("14.7.0")
PATIENT = Timing(reply_s=1.5, worst_reply_s=2.0, silence_s=0)


def meter(
    profile: str, url: str, bus: Bus | None = None, power_w: int = 60_000, quantities: tuple[str, ...] = ("16.7.0",)
) -> ModbusMeter:
    endpoint = parse_endpoint(url)
    return ModbusMeter("METER_001", load_profile(profile), endpoint, bus or Bus(endpoint), quantities, power_w)


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
    proof = sum(len(check.addresses) for check in read.profile.probe)
    assert len(served.asked) <= 3 + proof, "block reads, not single ones"


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
    async with serve_tcp({1: Meter({0x00: words(230, "FLOAT32"), 0x46: words(50, "FLOAT32")})}) as port:
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


@pytest.mark.parametrize(
    ("quantity", "wrong"),
    [
        ("16.7.0", 120_001.0), ("16.7.0", float("nan")), ("16.7.0", float("-inf")), ("14.7.0", 1e30),
        ("14.7.0", float("nan")),
    ],
)  # fmt: skip
async def test_a_wrong_quantity_costs_no_energy_and_is_named_once(
    quantity: str, wrong: float, caplog: pytest.LogCaptureFixture
) -> None:
    address = {"16.7.0": 0x34, "14.7.0": 0x46}[quantity]
    served = Meter(meter_registers("sdm630", 1_000, 2, 7) | {0x46: words(50, "FLOAT32")})
    async with serve_tcp({1: served}) as port:
        read = meter("sdm630", f"tcp://127.0.0.1:{port}?device=1", quantities=("16.7.0", "14.7.0"))
        good = await read.read(0, SystemClock())
        assert good.quantities == ((ACTIVE_POWER, 7, 0), (FREQUENCY, 50_000, -3))
        served.registers[address] = words(wrong, "FLOAT32")
        readings = [await read.read(0, SystemClock()) for _ in range(2)]
        read.bus.close()
    left = tuple(value for value in good.quantities if value[0] != obis(quantity))
    assert [(r.import_wh, r.export_wh, r.quantities) for r in readings] == [(1_000, 2, left)] * 2
    assert [(r.message, r.value) for r in caplog.records] == [("value left out", quantity)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("largest", [120_000, -120_000])
async def test_power_up_to_twice_the_rated_is_recorded(largest: int) -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 0, 0, largest))}) as port:
        read = meter("sdm630", f"tcp://127.0.0.1:{port}?device=1")
        assert (await read.read(0, SystemClock())).quantities == ((ACTIVE_POWER, largest, 0),)
        read.bus.close()


async def test_what_a_meter_refuses_is_asked_alone_found_out_once_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """G4: any read that covers the frequency at 0x5B2C is refused; so is the serial number."""
    registers = meter_registers("abb-b23", 1_234_500, 60, 7)
    del registers[0x8900], registers[0x5B2C]
    served = Meter(registers)
    async with serve_tcp({1: served}) as port:
        read = meter("abb-b23", f"tcp://127.0.0.1:{port}", quantities=("16.7.0", "14.7.0"))
        readings = [await read.read(0, SystemClock()) for _ in range(4)]
        asked = len(served.asked)
        await read.read(0, SystemClock())
        read.bus.close()
    assert {(r.import_wh, r.export_wh, r.quantities) for r in readings} == {(1_234_500, 60, ((ACTIVE_POWER, 7, 0),))}
    assert len(served.asked) - asked == 2, "two blocks of what it has"
    said = [(r.message, r.value) for r in caplog.records]  # type: ignore[attr-defined]
    assert said == [("value left out", "14.7.0")]
    read.forget()
    assert read.blocks == plan_blocks(read.profile, read.quantities, read.wire_cost), "another meter may be there"


async def test_an_export_register_that_a_meter_does_not_have_is_no_export() -> None:
    """G4: an EM340 that refuses 0x4E; an ABB and an iEM3155 that say it is not available."""
    em340 = {a: w for a, w in meter_registers("em340", 1_233_700, 0, 5).items() if a != 0x4E}
    abb = meter_registers("abb-b23", 1_233_700, 0, 5) | {0x5004: [0xFFFF] * 4}
    iem = meter_registers("iem3155", 1_233_700, 0, 5) | {0x0C87: [0x8000, 0, 0, 0]}
    for profile, registers in (("em340", em340), ("abb-b23", abb), ("iem3155", iem)):
        async with serve_tcp({1: Meter(registers)}) as port:
            read = meter(profile, f"tcp://127.0.0.1:{port}")
            readings = [await read.read(0, SystemClock()) for _ in range(2)]
            read.bus.close()
        got = [(r.import_wh, r.export_wh, r.quantities) for r in readings]
        assert got == [(1_233_700, 0, ((ACTIVE_POWER, 5, 0),))] * 2


async def test_an_export_register_that_had_a_value_is_never_taken_for_none() -> None:
    served = Meter(meter_registers("abb-b23", 1_000, 50, 5))
    async with serve_tcp({1: served}) as port:
        read = meter("abb-b23", f"tcp://127.0.0.1:{port}")
        assert (await read.read(0, SystemClock())).export_wh == 50
        served.registers[0x5004] = [0xFFFF] * 4
        with pytest.raises(ImplausibleError, match="export register is not available"):
            await read.read(0, SystemClock())
        read.bus.close()


async def test_a_register_that_every_such_meter_has_is_not_left_out() -> None:
    registers = meter_registers("abb-b23", 1_000, 50, 5)
    del registers[0x5B14], registers[0x5B2C]
    async with serve_tcp({1: Meter(registers)}) as port:
        read = meter("abb-b23", f"tcp://127.0.0.1:{port}")
        for _ in range(2):
            with pytest.raises(MeterRefusedError, match="refused address"):
                await read.read(0, SystemClock())
        read.bus.close()


async def test_a_serial_number_is_asked_for_until_two_answers_agree() -> None:
    served = Meter(meter_registers("sdm630", 1_000, 2, 3))
    async with serve_tcp({1: served}) as port:
        read = meter("sdm630", f"tcp://127.0.0.1:{port}")
        told = []
        for serial in (7, 8, 8, 9, 9):
            served.registers[0xFC00] = words(serial, "UINT32")
            told.append((await read.read(0, SystemClock())).serial)
        assert told == ["7", "8", "8", "8", "8"]
        read.forget()
        assert (await read.read(0, SystemClock())).serial == "9"
        read.bus.close()
