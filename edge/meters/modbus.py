"""Reads blocks of registers over Modbus, one request at a time on each bus; answers are checked against requests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from edge.errors import MeterError, MeterRefusedError, MeterTimeoutError
from edge.meters.endpoints import Endpoint
from edge.meters.plan import Block
from edge.meters.profile import Profile

CONNECT_S = 3.0
_EXCEPTIONS = {1: "illegal function", 2: "illegal address", 3: "illegal value", 4: "device failure", 6: "busy"}
_LASTING = (1, 2, 3)
"""Exceptions of a meter that has no such register; with others it may have."""


@dataclass(frozen=True)
class Timing:
    """The times of a device on its bus, in seconds."""

    reply_s: float
    """Time-out of a reply."""
    worst_reply_s: float
    """After this long no late reply can come any more."""
    silence_s: float
    """Pause between a reply and the next request."""

    @classmethod
    def of(cls, profile: Profile, endpoint: Endpoint) -> "Timing":
        """Computes them: the profile's times, on a serial line plus twice the bit times of the longest reply."""
        wire_s = 2 * profile.max_registers * 11 / endpoint.baud if endpoint.is_rtu else 0.0
        return cls(profile.reply_ms / 1000 + wire_s, profile.worst_reply_ms / 1000 + wire_s, profile.silence_ms / 1000)


class Bus:
    """One bus. After a time-out with RTU frames it is closed, and silent until no late reply can come any more."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._lock = asyncio.Lock()
        self._client: AsyncModbusTcpClient | AsyncModbusSerialClient | None = None
        self._quiet_until_s = 0.0

    @property
    def name(self) -> str:
        """The bus as its URL without parameters."""
        return self.endpoint.bus

    @contextlib.asynccontextmanager
    async def device(self, device: int, timing: Timing) -> AsyncIterator["ExclusiveDevice"]:
        """Waits for the bus and gives one device on it, which has the bus for itself meanwhile."""
        async with self._lock:
            yield ExclusiveDevice(self, device, timing)

    async def read(self, device: int, block: Block, timing: Timing) -> list[int]:
        """Reads one block; only ``ExclusiveDevice`` calls it, with the lock held.

        Raises:
            MeterTimeoutError: no answer in time.
            MeterRefusedError: the device answered with a Modbus exception.
            MeterError: no connection, or an answer that does not fit the request.
        """
        await self._keep_silence()
        client = await self._connect()
        read = client.read_input_registers if block.function == "input" else client.read_holding_registers
        try:
            async with asyncio.timeout(timing.reply_s):
                reply = await read(block.address, count=block.count, device_id=device)
        except TimeoutError as error:
            self._give_up(timing)
            raise MeterTimeoutError(
                f"no answer from device {device} on {self.name} in {timing.reply_s:.2f} s"
            ) from error
        except (ModbusException, OSError) as error:
            self._give_up(timing)
            raise MeterError(f"device {device} on {self.name}: {error}") from error
        self._quiet_until_s = _now_s() + timing.silence_s
        if reply.isError():
            code = int(getattr(reply, "exception_code", 0))
            raise MeterRefusedError(
                f"device {device} on {self.name} refused address {block.address}: {_EXCEPTIONS.get(code, code)}",
                lasting=code in _LASTING,
            )
        # pymodbus drops another device's reply, but takes any number of registers
        if len(reply.registers) != block.count:
            self._give_up(timing)
            raise MeterError(f"device {device} on {self.name} answered something else than was asked: dropped")
        return list(reply.registers)

    def close(self) -> None:
        """Closes the connection; the next read opens it again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _give_up(self, timing: Timing) -> None:
        """Closes the bus, and waits with RTU frames for late replies: opening it again drops what the line holds."""
        self.close()
        if self.endpoint.is_rtu:
            self._quiet_until_s = _now_s() + timing.worst_reply_s

    async def _keep_silence(self) -> None:
        if (wait_s := self._quiet_until_s - _now_s()) > 0:
            await asyncio.sleep(wait_s)

    async def _connect(self) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
        if self._client is not None and self._client.connected:
            return self._client
        self.close()
        client = _client(self.endpoint)
        try:
            async with asyncio.timeout(CONNECT_S):
                connected = await client.connect()
        except (TimeoutError, OSError, ModbusException) as error:
            client.close()
            raise MeterError(f"{self.name} can not be opened: {str(error) or 'no answer'}") from error
        if not connected:
            client.close()
            raise MeterError(f"{self.name} can not be opened: {_hint(self.endpoint)}")
        self._client = client
        return client


@dataclass(frozen=True)
class ExclusiveDevice:
    """One device, by its Modbus unit id, while it has its bus for itself."""

    bus: Bus
    device: int
    timing: Timing

    async def read(self, blocks: Sequence[Block]) -> dict[Block, list[int]]:
        """Reads the registers of every block.

        Raises:
            MeterError: one of them could not be read.
        """
        return {block: await self.bus.read(self.device, block, self.timing) for block in blocks}


def _client(endpoint: Endpoint) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
    # Longer than our own time-out, and no retries: pymodbus must not send a second request by itself
    if endpoint.transport == "rtu":
        return AsyncModbusSerialClient(
            endpoint.host, baudrate=endpoint.baud, parity=endpoint.parity, stopbits=endpoint.stopbits,
            timeout=60, retries=0, reconnect_delay=0,
        )  # fmt: skip
    framer = FramerType.SOCKET if endpoint.transport == "tcp" else FramerType.RTU
    return AsyncModbusTcpClient(
        endpoint.host, port=endpoint.port, framer=framer, timeout=60, retries=0, reconnect_delay=0
    )


def _hint(endpoint: Endpoint) -> str:
    if endpoint.transport == "rtu":
        return (
            f"check that {endpoint.host} exists, belongs to the agent's user (group dialout) and is used by nobody else"
        )
    return "check host, port and that the device is switched on (many allow one connection only)"


def _now_s() -> float:
    return asyncio.get_running_loop().time()
