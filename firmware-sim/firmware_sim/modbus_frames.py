"""Modbus requests and answers as bytes, pure: MBAP frames, RTU frames with their CRC, and the two read functions."""

import struct

from firmware_sim.registers import ILLEGAL_FUNCTION, Answer

NO_SUCH_DEVICE = 11
MAX_RTU_BYTES = 256
RTU_SILENCE_S = 0.1


def exception(function: int, code: int) -> bytes:
    """An exception answer's PDU."""
    return bytes((function | 0x80, code))


def read_request(pdu: bytes) -> tuple[int, int, int] | bytes:
    """Function, address and count of a read request, or the exception that refuses anything else."""
    function = pdu[0]
    if function not in {3, 4}:
        return exception(function & 0x7F, ILLEGAL_FUNCTION)
    if len(pdu) != 5:
        return exception(function, 3)
    address, count = struct.unpack(">HH", pdu[1:])
    return function, address, count


def read_answer(function: int, answer: Answer) -> bytes:
    """The PDU that carries the words of a block."""
    size = len(answer.words)
    return struct.pack(f">BB{size}H", function, 2 * size, *answer.words)


def tcp_frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A PDU under its MBAP header."""
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def crc16(data: bytes) -> int:
    """CRC-16/MODBUS (polynomial 0xA001 reflected, start 0xFFFF)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """A PDU between its address and its CRC."""
    body = bytes((unit,)) + pdu
    return body + struct.pack("<H", crc16(body))


class RtuStream:
    """Finds requests in the bytes of a serial line; what fails its CRC is skipped byte by byte."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._fed_s = 0.0

    def feed(self, data: bytes, at_s: float) -> list[tuple[int, bytes]]:
        """The (unit, PDU) pairs that are complete with these bytes; silence on the line starts a new frame."""
        if at_s - self._fed_s > RTU_SILENCE_S:
            self._buffer.clear()
        self._fed_s = at_s
        self._buffer += data
        found = []
        while (size := _request_size(self._buffer)) is not None and len(self._buffer) >= max(size, 1):
            frame = bytes(self._buffer[:size])
            if size and crc16(frame[:-2]) == struct.unpack("<H", frame[-2:])[0]:
                found.append((frame[0], frame[1:-2]))
                del self._buffer[:size]
            else:
                del self._buffer[0]
        del self._buffer[:-MAX_RTU_BYTES]
        return found


def _request_size(buffer: bytearray) -> int | None:
    """Bytes of the request at the start of the buffer; 0 = none that we know; None = not enough bytes to say."""
    if len(buffer) < 2:
        return None
    function = buffer[1]
    if 1 <= function <= 6:
        return 8
    if function in {15, 16}:
        return 9 + buffer[6] if len(buffer) > 6 else None
    return 0
