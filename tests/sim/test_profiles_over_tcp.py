"""Every register map, read back by a plain Modbus client and decoded here by hand from the manuals' tables."""

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusTcpClient

from firmware_sim.modbus_server import listen
from support.servers.simulator import bench

PROFILES = ["sdm630", "sdm120", "iem3155", "umg96rm", "em340", "abb-b23"]
WATTS = 7200  # 2 Wh a second

Words = Sequence[int]


def raw(words: Words) -> bytes:
    return b"".join(word.to_bytes(2, "big") for word in words)


def f32(words: Words) -> float:
    return float(struct.unpack(">f", raw(words))[0])


def i32(words: Words) -> int:
    return int.from_bytes(raw(words), "big", signed=True)


def i32_low_first(words: Words) -> int:
    return int.from_bytes(raw(words[::-1]), "big", signed=True)


def whole(words: Words) -> int:
    return int.from_bytes(raw(words), "big")


Read = tuple[int, int, int, Callable[[Words], float], float]  # function, address, count, decoder, factor to base unit

POWER: dict[str, Read] = {
    "sdm630": (4, 0x0034, 2, f32, 1),
    "sdm120": (4, 0x000C, 2, f32, 1),
    "iem3155": (3, 0x0BF3, 2, f32, 1000),
    "umg96rm": (3, 19026, 2, f32, 1),
    "em340": (3, 0x0028, 2, i32_low_first, 0.1),
    "abb-b23": (3, 0x5B14, 2, i32, 0.01),
}
IMPORT: dict[str, Read] = {
    "sdm630": (4, 0x0048, 2, f32, 1000),
    "sdm120": (4, 0x0048, 2, f32, 1000),
    "iem3155": (3, 0x0C83, 4, whole, 1),
    "umg96rm": (4, 19068, 2, f32, 1),
    "em340": (4, 0x0034, 2, i32_low_first, 100),
    "abb-b23": (3, 0x5000, 4, whole, 10),
}
EXPORT: dict[str, Read] = {
    "sdm630": (4, 0x004A, 2, f32, 1000),
    "sdm120": (4, 0x004A, 2, f32, 1000),
    "iem3155": (3, 0x0C87, 4, whole, 1),
    "umg96rm": (3, 19076, 2, f32, 1),
    "em340": (3, 0x004E, 2, i32_low_first, 100),
    "abb-b23": (3, 0x5004, 4, whole, 10),
}
FREQUENCY: dict[str, Read] = {
    "sdm630": (4, 0x0046, 2, f32, 1),
    "sdm120": (4, 0x0046, 2, f32, 1),
    "iem3155": (3, 0x0C25, 2, f32, 1),
    "umg96rm": (3, 19050, 2, f32, 1),
    "em340": (3, 0x0033, 1, whole, 0.1),
    "abb-b23": (3, 0x5B2C, 1, whole, 0.01),
}
VOLTAGE: dict[str, Read] = {
    "sdm630": (4, 0x0002, 2, f32, 1),
    "sdm120": (4, 0x0000, 2, f32, 1),
    "iem3155": (3, 0x0BD5, 2, f32, 1),
    "umg96rm": (3, 19002, 2, f32, 1),
    "em340": (3, 0x0002, 2, i32_low_first, 0.1),
    "abb-b23": (3, 0x5B02, 2, whole, 0.1),
}
SERIAL: dict[str, Read] = {
    "sdm630": (3, 0xFC00, 2, whole, 1),
    "sdm120": (3, 0xFC00, 2, whole, 1),
    "iem3155": (3, 0x0081, 2, whole, 1),
    "abb-b23": (3, 0x8900, 2, whole, 1),
    "em340": (3, 0x5000, 7, lambda words: int("".join(chr(word & 0xFF) for word in words)), 1),
}
RESOLUTION_WH = {"em340": 100, "abb-b23": 10}


async def read(client: AsyncModbusTcpClient, device: int, where: Read) -> float:
    function, address, count, decode, factor = where
    call = client.read_input_registers if function == 4 else client.read_holding_registers
    answer = await call(address, count=count, device_id=device)
    assert not answer.isError(), f"device {device}: {answer}"
    return decode(answer.registers) * factor


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("watts", [WATTS, -WATTS])
async def test_a_plain_client_reads_what_the_meter_measured(tmp_path: Path, profile: str, watts: int) -> None:
    with bench(tmp_path, [profile], watts) as on:
        async with listen(on.responder, "127.0.0.1", 0) as port, AsyncModbusTcpClient("127.0.0.1", port=port) as client:
            meter = on.fleet.meters["M1"]
            before = meter.snapshot(on.clock.ms // 1000)
            on.clock.ms += 500_000
            now = meter.snapshot(on.clock.ms // 1000)
            assert (now.import_wh - before.import_wh, now.export_wh - before.export_wh) == (
                (1000, 0) if watts > 0 else (0, 1000)
            )
            resolution = RESOLUTION_WH.get(profile, 1)
            for wh, table in ((now.import_wh, IMPORT), (now.export_wh, EXPORT)):
                assert await read(client, 1, table[profile]) == pytest.approx(wh // resolution * resolution, abs=0.2)
            assert await read(client, 1, POWER[profile]) == pytest.approx(watts)
            assert 49.9 < await read(client, 1, FREQUENCY[profile]) < 50.1
            assert 227 < await read(client, 1, VOLTAGE[profile]) < 233
            if profile in SERIAL:
                serial = meter.serial if profile != "em340" else int(str(meter.serial)[:7])
                assert await read(client, 1, SERIAL[profile]) == serial


@pytest.mark.parametrize(
    ("profile", "places", "decode", "factor"),
    [
        ("sdm630", [(4, 0x015A, 2), (4, 0x015C, 2), (4, 0x015E, 2)], f32, 1000),
        ("iem3155", [(3, 0x0DBD, 4), (3, 0x0DC1, 4), (3, 0x0DC5, 4)], whole, 1),
        ("umg96rm", [(3, 19062, 2), (3, 19064, 2), (3, 19066, 2)], f32, 1),
        ("em340", [(4, 0x0040, 2), (4, 0x0042, 2), (4, 0x0044, 2)], i32_low_first, 100),
        ("abb-b23", [(3, 0x5460, 4), (3, 0x5464, 4), (3, 0x5468, 4)], whole, 10),
    ],
)
async def test_the_phases_energies_add_up_to_the_register(
    tmp_path: Path, profile: str, places: list[tuple[int, int, int]], decode: Callable[[Words], float], factor: float
) -> None:
    with bench(tmp_path, [profile]) as on:
        async with listen(on.responder, "127.0.0.1", 0) as port, AsyncModbusTcpClient("127.0.0.1", port=port) as client:
            phases = [await read(client, 1, (*place, decode, factor)) for place in places]
            total = await read(client, 1, IMPORT[profile])
    assert min(phases) > 0
    assert sum(phases) == pytest.approx(total, abs=3 * RESOLUTION_WH.get(profile, 1))


@pytest.mark.parametrize(
    ("profile", "place"),
    [
        ("sdm630", (4, 0x00C8, 2, f32, 1)), ("iem3155", (3, 0x0BCB, 2, f32, 1)), ("umg96rm", (3, 19006, 2, f32, 1)),
        ("em340", (4, 0x0006, 2, i32_low_first, 0.1)), ("abb-b23", (3, 0x5B06, 2, i32, 0.1)),
    ],
)  # fmt: skip
async def test_voltages_between_phases_are_those_of_a_three_phase_grid(
    tmp_path: Path, profile: str, place: Read
) -> None:
    with bench(tmp_path, [profile]) as on:
        async with listen(on.responder, "127.0.0.1", 0) as port, AsyncModbusTcpClient("127.0.0.1", port=port) as client:
            assert 393 < await read(client, 1, place) < 404


async def test_a_umg_has_everything_twice_in_both_word_orders(tmp_path: Path) -> None:
    with bench(tmp_path, ["umg96rm"]) as on:
        async with listen(on.responder, "127.0.0.1", 0) as port, AsyncModbusTcpClient("127.0.0.1", port=port) as client:
            big = (await client.read_holding_registers(19000, count=122, device_id=1)).registers
            little = (await client.read_holding_registers(19000 + 32768, count=122, device_id=1)).registers
    assert [word for at in range(0, 122, 2) for word in little[at : at + 2][::-1]] == big
    assert big != little


async def test_an_em340_says_what_it_is_to_who_asks_for_that_register_alone(tmp_path: Path) -> None:
    with bench(tmp_path, ["em340"]) as on:
        async with listen(on.responder, "127.0.0.1", 0) as port, AsyncModbusTcpClient("127.0.0.1", port=port) as client:
            assert (await client.read_input_registers(0x000B, count=1, device_id=1)).registers == [341]
            assert (await client.read_input_registers(0x000A, count=2, device_id=1)).registers[1] == 0, "of a voltage"


@pytest.mark.parametrize(
    ("profile", "function", "address", "count", "code"),
    [
        ("sdm630", 4, 0x0050, 2, 2),  # past the block
        ("sdm630", 4, 0x0048, 82, 3),  # more than 40 parameters
        ("sdm630", 4, 0x0049, 2, 2),  # odd start
        ("sdm630", 3, 0x0048, 2, 2),  # the other function's table
        ("sdm120", 4, 0x004E, 4, 2),  # half of it outside
        ("iem3155", 4, 0x0C83, 4, 1),  # holding registers only
        ("iem3155", 3, 0x0C82, 2, 2),
        ("umg96rm", 3, 18999, 2, 2),
        ("em340", 3, 0x0050, 1, 2),
        ("abb-b23", 3, 0x4FFF, 2, 2),
        ("abb-b23", 3, 0x5008, 1, 2),
    ],
)
async def test_what_a_meter_does_not_serve_is_an_exception(
    tmp_path: Path, profile: str, function: int, address: int, count: int, code: int
) -> None:
    with bench(tmp_path, [profile]) as on:
        async with listen(on.responder, "127.0.0.1", 0) as port, AsyncModbusTcpClient("127.0.0.1", port=port) as client:
            call = client.read_input_registers if function == 4 else client.read_holding_registers
            assert (await call(address, count=count, device_id=1)).exception_code == code
    assert on.truth() == []


async def test_writes_and_absent_devices_are_refused(tmp_path: Path) -> None:
    with bench(tmp_path, ["sdm630"]) as on:
        async with listen(on.responder, "127.0.0.1", 0) as port, AsyncModbusTcpClient("127.0.0.1", port=port) as client:
            assert (await client.write_register(0x0028, 1, device_id=1)).exception_code == 1
            assert (await client.read_input_registers(0, count=2, device_id=9)).exception_code == 11


async def test_one_block_is_one_instant_and_one_line_of_truth(tmp_path: Path) -> None:
    with bench(tmp_path, ["sdm630", "sdm120"]) as on:
        async with listen(on.responder, "127.0.0.1", 0) as port, AsyncModbusTcpClient("127.0.0.1", port=port) as client:
            on.clock.ms += 10_250
            answer = await client.read_input_registers(0, count=80, device_id=1)
            await client.read_input_registers(0x0034, count=2, device_id=1)  # carries no energy
            await client.read_input_registers(0x0048, count=2, device_id=2)
    exact = [f32(answer.registers[at : at + 2]) for at in (0x48, 0x4A)]
    first, second = on.truth()
    assert first == {
        "t_ms": on.clock.ms,
        "meter": "M1",
        "import_wh": round(exact[0] * 1000),
        "export_wh": round(exact[1] * 1000),
        "active_power_w": WATTS,
        "via": "modbus",
    }
    assert second["meter"] == "M2"
    assert second["import_wh"] is not None
    assert second["export_wh"] is None


async def test_a_float_register_is_on_record_as_a_reader_decodes_it(tmp_path: Path) -> None:
    # Above 8192 kWh a 32-bit float of kWh can not hold every Wh: the log must say what was sent, not what was meant
    with bench(tmp_path, ["sdm630"]) as on:
        meter = on.fleet.meters["M1"]
        async with listen(on.responder, "127.0.0.1", 0) as port, AsyncModbusTcpClient("127.0.0.1", port=port) as client:
            differing = 0
            for _ in range(20):
                on.clock.ms += 8_000_003_000
                answer = await client.read_input_registers(0x48, count=4, device_id=1)
                decoded = struct.unpack(">f", raw(answer.registers[:2]))[0]
                assert on.truth()[-1]["import_wh"] == int(decoded * 1000 + 0.5)
                differing += on.truth()[-1]["import_wh"] != meter.snapshot(on.clock.ms // 1000).import_wh
    assert differing
