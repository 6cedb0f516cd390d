"""Real pymodbus servers for the agent to read: over TCP, and on a line of two ptys that can lose or delay replies."""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from pymodbus import FramerType
from pymodbus.client.mixin import ModbusClientMixin
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

Registers = dict[int, list[int]]
TYPES = ModbusClientMixin.DATATYPE
_convert = ModbusClientMixin.convert_to_registers


def words(value: float, kind: str, *, low_first: bool = False) -> list[int]:
    """Returns a value as registers, by pymodbus' own conversion."""
    order: Literal["little", "big"] = "little" if low_first else "big"
    return list(_convert(value, getattr(TYPES, kind), word_order=order))


def meter_registers(profile: str, import_wh: int, export_wh: int, power_w: int) -> Registers:
    """Returns the registers of a meter with these values, by a second reading of its manual."""
    match profile:
        case "sdm630":
            return {0x00: words(230, "FLOAT32"), 0x46: words(50, "FLOAT32"),
                    0x34: words(power_w, "FLOAT32"), 0x48: words(import_wh / 1000, "FLOAT32"),
                    0x4A: words(export_wh / 1000, "FLOAT32"), 0xFC00: words(24010001, "UINT32")}  # fmt: skip
        case "sdm120":
            return {0x00: words(230, "FLOAT32"), 0x46: words(50, "FLOAT32"), 0xFC02: [0x20, 0x0203],
                    0x0C: words(power_w, "FLOAT32"), 0x48: words(import_wh / 1000, "FLOAT32"),
                    0x4A: words(export_wh / 1000, "FLOAT32"), 0xFC00: words(24010002, "UINT32")}  # fmt: skip
        case "iem3155":
            return {0x0BD3: words(230, "FLOAT32"), 0x0C25: words(50, "FLOAT32"),
                    0x31: [0x6945, 0x4D33, 0x3135, 0x3500, *[0] * 16],
                    0x0BF3: words(power_w / 1000, "FLOAT32"), 0x0C83: words(import_wh, "INT64"),
                    0x0C87: words(export_wh, "INT64"), 0x81: words(24010003, "UINT32")}  # fmt: skip
        case "umg96rm":
            return {19000: words(230, "FLOAT32"), 19050: words(50, "FLOAT32"),
                    19026: words(power_w, "FLOAT32"), 19068: words(import_wh, "FLOAT32"),
                    19076: words(export_wh, "FLOAT32")}  # fmt: skip
        case "em340":
            return {0x00: words(2300, "INT32", low_first=True), 0x33: [500],
                    0x28: words(power_w * 10, "INT32", low_first=True),
                    0x34: words(import_wh // 100, "INT32", low_first=True),
                    0x4E: words(export_wh // 100, "INT32", low_first=True),
                    0x5000: [ord(letter) for letter in "KE24004"]}  # fmt: skip
        case "abb-b23":
            return {0x5B00: words(2300, "UINT32"), 0x5B2C: [5000], 0x8960: [0x4232, 0x3320],
                    0x5B14: words(power_w * 100, "INT32"), 0x5000: words(import_wh // 10, "UINT64"),
                    0x5004: words(export_wh // 10, "UINT64"), 0x8900: words(24010006, "UINT32")}  # fmt: skip
    raise AssertionError(profile)


@dataclass
class Meter:
    """A device whose registers may be changed while it is served."""

    registers: Registers
    delay_s: float = 0.0
    asked: list[tuple[int, int, int]] = field(default_factory=list)
    """(function, address, count) of every request."""

    @property
    def reads(self) -> int:
        """How often an SDM630 was read with its power; for its serial number and probe fewer registers are asked."""
        return sum(count > 2 for _, _, count in self.asked)

    def device(self, number: int) -> SimDevice:
        return SimDevice(number, _blocks(self.registers), action=self._act)

    async def _act(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        current: list[int],
        _new: list[int] | list[bool] | None,
    ) -> None:
        self.asked.append((function, address, count))
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        for first, values in self.registers.items():
            for offset, value in enumerate(values):
                if 0 <= first + offset - start < len(current):
                    current[first + offset - start] = value


def _blocks(registers: Registers) -> list[SimData]:
    """Zeros around what is set, so that holes can be read, in runs that do not touch."""
    spans: list[list[int]] = []
    for address in sorted(registers):
        end = address + len(registers[address])
        if spans and address - spans[-1][1] <= 80:
            spans[-1][1] = end
        else:
            spans.append([address, end])
    blocks = []
    for start, end in spans:
        values = [0] * (end - start)
        for address, words_ in registers.items():
            if start <= address < end:
                values[address - start : address - start + len(words_)] = words_
        blocks.append(SimData(start, values=values, datatype=DataType.REGISTERS))
    return blocks


@contextlib.asynccontextmanager
async def serve_tcp(meters: Mapping[int, Meter], *, rtu: bool = False, port: int = 0) -> AsyncIterator[int]:
    """Serves devices on one TCP port; gives the port."""
    server = ModbusTcpServer(
        [meter.device(number) for number, meter in meters.items()],
        framer=FramerType.RTU if rtu else FramerType.SOCKET,
        address=("127.0.0.1", port),
        ignore_missing_devices=True,
    )
    await server.serve_forever(background=True)
    try:
        listening = cast("asyncio.Server", server.transport)
        yield listening.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call] # pymodbus gives no type


@dataclass
class Line:
    """A serial line; ``delays_s`` hold the next replies back, ``mute`` loses all of them."""

    path: str
    delays_s: list[float] = field(default_factory=list)
    mute: bool = False


@contextlib.asynccontextmanager
async def serve_rtu(meters: Mapping[int, Meter]) -> AsyncIterator[Line]:
    """Serves devices on a serial line: two ptys, with this process in between."""
    loop = asyncio.get_running_loop()
    (near, near_tty), (far, far_tty) = os.openpty(), os.openpty()
    for descriptor in (near_tty, far_tty):
        tty.setraw(descriptor)
    for descriptor in (near, far):
        os.set_blocking(descriptor, False)
    line = Line(os.ttyname(near_tty))
    server = ModbusSerialServer(
        [meter.device(number) for number, meter in meters.items()],
        framer=FramerType.RTU, port=os.ttyname(far_tty), baudrate=115200, ignore_missing_devices=True,
    )  # fmt: skip

    def replied() -> None:
        data = os.read(far, 4096)
        if line.mute:
            return
        if line.delays_s:
            loop.call_later(line.delays_s.pop(0), os.write, near, data)
        else:
            os.write(near, data)

    loop.add_reader(near, lambda: os.write(far, os.read(near, 4096)))
    loop.add_reader(far, replied)
    await server.serve_forever(background=True)
    try:
        yield line
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call] # pymodbus gives no type
        loop.remove_reader(near)
        loop.remove_reader(far)
        for descriptor in (near, near_tty, far, far_tty):
            os.close(descriptor)
