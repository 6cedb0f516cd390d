"""Replies that are Modbus, but not the answer to what was asked: none becomes a reading."""

import asyncio
import struct

import pytest

from edge.errors import MeterError
from edge.meters.endpoints import parse_endpoint
from edge.meters.modbus import Bus, Timing
from edge.meters.plan import Block
from support.servers.listener import listening

ASKED = Block("input", 72, 2)


@pytest.mark.parametrize(("device", "count"), [(9, 2), (0, 2), (1, 1), (1, 3)])
async def test_a_reply_of_another_device_or_length_is_refused(device: int, count: int) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readexactly(12)
        reply = bytes([device, 4, 2 * count]) + bytes(2 * count)
        writer.write(request[:4] + struct.pack(">H", len(reply)) + reply)
        await reader.readexactly(1)

    async with listening(answer) as listener:
        bus = Bus(parse_endpoint(f"tcp://127.0.0.1:{listener.port}"))
        async with bus.device(1, Timing(reply_s=0.3, worst_reply_s=1, silence_s=0)) as one:
            with pytest.raises(MeterError):
                await one.read([ASKED])
        assert bus._client is None, "what comes later is read by nobody"
