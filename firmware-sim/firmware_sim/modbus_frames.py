"""Modbus requests and responses as bytes, pure: TCP and RTU frames, and the two read functions.

Sources: Modbus Application Protocol V1.1b3; Modbus Messaging on TCP/IP V1.0b; Modbus over Serial Line V1.02.
"""

import struct
from collections.abc import Container

from firmware_sim.registers import ILLEGAL_FUNCTION, BlockReply

GATEWAY_TARGET_FAILED = 11
MAX_RTU_BYTES = 256
RTU_SILENCE_S = 0.1
"""A pause on the line after which a new frame begins."""


def exception_response(function: int, code: int) -> bytes:
    """Encodes the PDU of an exception response."""
    return bytes((function | 0x80, code))


def parse_read_request(pdu: bytes) -> tuple[int, int, int] | bytes:
    """Decodes function, address and count of a read request; for any other request returns the exception response."""
    function = pdu[0]
    if function not in {3, 4}:
        return exception_response(function & 0x7F, ILLEGAL_FUNCTION)
    if len(pdu) != 5:
        return exception_response(function, 3)
    address, count = struct.unpack(">HH", pdu[1:])
    return function, address, count


def read_response(function: int, reply: BlockReply) -> bytes:
    """Encodes the PDU that carries the words of a block."""
    count = len(reply.words)
    return struct.pack(f">BB{count}H", function, 2 * count, *reply.words)


def tcp_frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """Encodes a PDU with its MBAP header."""
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def crc16(data: bytes) -> int:
    """Computes CRC-16/MODBUS (reflected polynomial 0xA001, start 0xFFFF)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """Encodes a PDU between its unit id and its CRC."""
    body = bytes((unit,)) + pdu
    return body + struct.pack("<H", crc16(body))


def spoiled_frame(frame: bytes, faults: Container[str]) -> bytes:
    """Returns a frame that breaks off in the middle (``truncated``), or has a wrong last byte (``crc_error``)."""
    if "truncated" in faults:
        return frame[: len(frame) // 2]
    return frame[:-1] + bytes((frame[-1] ^ 0xFF,)) if "crc_error" in faults else frame


class RtuDecoder:
    """Decodes requests from the bytes of a serial line; where a CRC does not match, it goes on from the next byte."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._last_s = 0.0

    def feed(self, data: bytes, at_s: float) -> list[tuple[int, bytes]]:
        """Returns the (unit id, PDU) pairs that these bytes complete; silence before them starts a new frame.

        ``at_s`` is when they came, by any clock in seconds.
        """
        if at_s - self._last_s > RTU_SILENCE_S:
            self._buffer.clear()
        self._last_s = at_s
        self._buffer += data
        requests = []
        while (size := _request_size(self._buffer)) is not None and len(self._buffer) >= max(size, 1):
            frame = bytes(self._buffer[:size])
            if size and crc16(frame[:-2]) == struct.unpack("<H", frame[-2:])[0]:
                requests.append((frame[0], frame[1:-2]))
                del self._buffer[:size]
            else:
                del self._buffer[0]
        del self._buffer[:-MAX_RTU_BYTES]
        return requests


def _request_size(buffer: bytearray) -> int | None:
    """Returns how long the request at the start of the buffer is; 0: unknown function, None: too few bytes to tell."""
    if len(buffer) < 2:
        return None
    function = buffer[1]
    if 1 <= function <= 6:
        return 8
    if function in {15, 16}:
        return 9 + buffer[6] if len(buffer) > 6 else None
    return 0
