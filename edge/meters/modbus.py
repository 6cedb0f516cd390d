"""Modbus buses: one lock and one connection per wire. Block reads in, checked registers out."""

import asyncio
import contextlib
import logging
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

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Timing:
    """What a device needs on the bus, in seconds."""

    reply_s: float
    worst_reply_s: float
    silence_s: float

    @classmethod
    def of(cls, profile: Profile, endpoint: Endpoint) -> "Timing":
        """The profile's times, plus the longest reply's time on a serial wire."""
        wire_s = 2 * profile.max_registers * 11 / endpoint.baud if endpoint.is_rtu else 0.0
        return cls(profile.reply_ms / 1000 + wire_s, profile.worst_reply_ms / 1000 + wire_s, profile.silence_ms / 1000)


class Bus:
    """One physical bus. After a time-out on RTU it is closed and silent until no late reply can come any more."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._lock = asyncio.Lock()
        self._client: AsyncModbusTcpClient | AsyncModbusSerialClient | None = None
        self._quiet_until = 0.0

    @property
    def name(self) -> str:
        """For logs."""
        return self.endpoint.bus

    @contextlib.asynccontextmanager
    async def device(self, device: int, timing: Timing) -> AsyncIterator["Device"]:
        """The bus for one device alone; whoever holds it may read several blocks."""
        async with self._lock:
            yield Device(self, device, timing)

    async def read(self, device: int, block: Block, timing: Timing) -> list[int]:
        """One request; only ``Device`` calls it, with the lock held.

        Raises:
            MeterError: no connection, no answer in time, an exception, or an answer that does not fit the question.
        """
        await self._silence()
        client = await self._connected()
        ask = client.read_input_registers if block.function == "input" else client.read_holding_registers
        try:
            async with asyncio.timeout(timing.reply_s):
                reply = await ask(block.address, count=block.count, device_id=device)
        except TimeoutError as error:
            self._give_up(timing)
            raise MeterTimeoutError(
                f"no answer from device {device} on {self.name} in {timing.reply_s:.2f} s"
            ) from error
        except (ModbusException, OSError) as error:
            self._give_up(timing)
            raise MeterError(f"device {device} on {self.name}: {error}") from error
        self._quiet_until = _now() + timing.silence_s
        if reply.isError():
            code = int(getattr(reply, "exception_code", 0))
            raise MeterRefusedError(
                f"device {device} on {self.name} refused address {block.address}: {_EXCEPTIONS.get(code, code)}"
            )
        if reply.dev_id not in (device, 0) or len(reply.registers) != block.count:
            self._give_up(timing)
            raise MeterError(f"device {device} on {self.name} answered something else than was asked: dropped")
        return list(reply.registers)

    def close(self) -> None:
        """Closes the connection; the next read opens it again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _give_up(self, timing: Timing) -> None:
        # Opening again flushes what the line still holds; the silence lets a late reply pass before that
        self.close()
        if self.endpoint.is_rtu:
            self._quiet_until = _now() + timing.worst_reply_s

    async def _silence(self) -> None:
        if (wait_s := self._quiet_until - _now()) > 0:
            await asyncio.sleep(wait_s)

    async def _connected(self) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
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
class Device:
    """One device while it has its bus for itself."""

    bus: Bus
    device: int
    timing: Timing

    async def read(self, blocks: Sequence[Block]) -> dict[Block, list[int]]:
        """The registers of every block.

        Raises:
            MeterError: one of them could not be read.
        """
        return {block: await self.bus.read(self.device, block, self.timing) for block in blocks}


def _client(endpoint: Endpoint) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
    # Our own time-out comes first, so that the library never sends a second request on its own
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


def _now() -> float:
    return asyncio.get_running_loop().time()
