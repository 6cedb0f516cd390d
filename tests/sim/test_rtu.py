"""One serial bus with several devices on a pty, and the same frames over TCP, read by a plain client."""

import struct
from pathlib import Path

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from firmware_sim.errors import ListenError
from firmware_sim.modbus_frames import RtuDecoder, crc16, rtu_frame
from firmware_sim.modbus_server import listen
from firmware_sim.rtu_bus import serve_bus
from support.servers.simulator import bench


async def test_several_devices_answer_on_one_pty(tmp_path: Path) -> None:
    with (
        bench(tmp_path, ["sdm120", "sdm630", "umg96rm"], 7200) as on,
        serve_bus(on.responder, tmp_path / "run" / "bus") as path,
    ):
        assert path.is_symlink()
        for _ in range(2):  # a second client finds the line as the first one did
            async with AsyncModbusSerialClient(str(path), baudrate=9600, timeout=2) as client:
                on.clock.ms += 10_000
                for device, address in ((1, 0x000C), (2, 0x0034), (3, 19026)):
                    answer = await client.read_input_registers(address, count=2, device_id=device)
                    assert struct.unpack(">f", struct.pack(">2H", *answer.registers))[0] == 7200
                answer = await client.read_input_registers(0, count=80, device_id=2)
                assert len(answer.registers) == 80
        assert [line["meter"] for line in on.truth()] == ["M2", "M2"]
    assert not path.is_symlink()


async def test_an_absent_device_is_silent_and_the_bus_lives_on(tmp_path: Path) -> None:
    with bench(tmp_path, ["sdm120"]) as on, serve_bus(on.responder, tmp_path / "bus") as path:
        async with AsyncModbusSerialClient(str(path), timeout=0.2, retries=0) as client:
            with pytest.raises(ModbusIOException):
                await client.read_input_registers(0, count=2, device_id=7)
        async with AsyncModbusSerialClient(str(path), timeout=2) as client:
            assert not (await client.read_input_registers(0, count=2, device_id=1)).isError()


async def test_rtu_frames_over_tcp(tmp_path: Path) -> None:
    with bench(tmp_path, ["iem3155", "abb-b23"]) as on:
        async with (
            listen(on.responder, "127.0.0.1", 0, rtu=True) as port,
            AsyncModbusTcpClient("127.0.0.1", port=port, framer=FramerType.RTU) as client,
        ):
            wh = on.fleet.meters["M2"].snapshot(on.clock.ms // 1000).import_wh
            answer = await client.read_holding_registers(0x5000, count=4, device_id=2)
            assert int.from_bytes(struct.pack(">4H", *answer.registers), "big") == wh // 10


async def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    taken = tmp_path / "bus"
    taken.write_text("mine")
    with (
        bench(tmp_path, ["sdm120"]) as on,
        pytest.raises(ListenError, match="not a symlink: move it away"),
        serve_bus(on.responder, taken),
    ):
        pass
    assert taken.read_text() == "mine"


async def test_a_stale_symlink_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "bus").symlink_to("/dev/pts/nothing")
    with bench(tmp_path, ["sdm120"]) as on, serve_bus(on.responder, tmp_path / "bus") as path:
        assert path.readlink() != Path("/dev/pts/nothing")


def test_the_crc_is_the_one_of_the_serial_line_guide() -> None:
    assert crc16(b"123456789") == 0x4B37  # the check value of CRC-16/MODBUS


REQUEST = bytes((4, 0, 0x48, 0, 4))


@pytest.mark.parametrize("noise", [b"", b"\x00", b"\xff\x10\x03", b"\x01\x03\x00", bytes(range(1, 256, 6))])
def test_a_request_is_found_behind_noise(noise: bytes) -> None:
    stream = RtuDecoder()
    stream.feed(noise, 0.0)
    assert (1, REQUEST) in stream.feed(rtu_frame(1, REQUEST), 1.0)  # after silence


def test_a_request_in_pieces_and_one_with_a_wrong_crc() -> None:
    stream, frame = RtuDecoder(), rtu_frame(1, REQUEST)
    assert stream.feed(frame[:3], 0.0) == []
    assert stream.feed(frame[3:], 0.01) == [(1, REQUEST)]
    assert stream.feed(frame[:-1] + bytes((frame[-1] ^ 1,)), 0.02) == []
    assert stream.feed(frame + frame, 0.03) == [(1, REQUEST), (1, REQUEST)]


def test_a_request_right_behind_noise_is_found_without_a_pause() -> None:
    assert RtuDecoder().feed(b"\x00\x55" + rtu_frame(1, REQUEST), 0.0) == [(1, REQUEST)]


def test_the_buffer_of_a_noisy_line_stays_small() -> None:
    stream = RtuDecoder()
    for _ in range(1000):
        stream.feed(b"\x01\x10\x00\x00\x00\x7b\xf6", 0.0)
    assert len(stream._buffer) <= 264
