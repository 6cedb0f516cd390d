"""Integer arithmetic as the programs' toolchain compiles it, against Python's integers.

The linker rewrites what stock LLVM cannot compile for this target (overflow checks, 128-bit and signed division, memory
functions); a wrong rewrite would be a wrong balance.
"""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.transaction import Transaction
from solders.transaction_metadata import TransactionMetadata

PROGRAM = Path(__file__).resolve().parents[2] / "programs/deploy/arith.so"
MAX64, MAX128 = 2**64 - 1, 2**128 - 1
EDGES = [
    *(0, 1, 2, 3, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, MAX64 - 1, MAX64),
    *(2**64, 2**127 - 1, 2**127, MAX128 - 1, MAX128),
]

Answer = tuple[int, int]
"""The result as 128 bits, and 1 when the operation refuses (overflow, division by zero)."""
REFUSED: Answer = (0, 1)


def signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def unsigned_or_refused(value: int, bits: int) -> Answer:
    return (value, 0) if 0 <= value < 1 << bits else REFUSED


def signed_or_refused(value: int, bits: int) -> Answer:
    fits = -(1 << (bits - 1)) <= value < 1 << (bits - 1)
    return (value & ((1 << bits) - 1), 0) if fits else REFUSED


def truncated(a: int, b: int) -> int:
    """Division towards zero, as machines divide."""
    return abs(a) // abs(b) * (-1 if (a < 0) != (b < 0) else 1)


def divided(a: int, b: int, bits: int) -> Answer:
    return signed_or_refused(truncated(signed(a, bits), signed(b, bits)), bits) if b else REFUSED


def remainder(a: int, b: int, bits: int) -> Answer:
    a, b = signed(a, bits), signed(b, bits)
    overflows = a == -(1 << (bits - 1)) and b == -1
    return ((a - b * truncated(a, b)) & ((1 << bits) - 1), 0) if b and not overflows else REFUSED


def bit_counts(a: int) -> int:
    trailing = (a & -a).bit_length() - 1 if a else 128
    return 128 - a.bit_length() | a.bit_count() << 32 | trailing << 64


def seven_arguments(a: int, b: int) -> int:
    result = 0
    for turn, value in enumerate([a, b, a >> 7, b >> 7, a >> 9, b >> 9, a ^ b]):
        result ^= (value << turn | value >> (64 - turn)) & MAX64
    return result


def compared(a: int, b: int) -> int:
    return (a > b) - (a < b) & 0xFF


def memory(a: int, b: int) -> Answer:
    """Copies, moves, fills and compares of a length known only at run time."""
    data, length, digest = bytearray(64), b & 31, 0
    data[:16] = a.to_bytes(16, "little")
    data[20 : 20 + length] = data[0:length]
    data[52 : 52 + length % 12] = b"\7" * (length % 12)
    for byte in data:
        digest = (digest * 257 + byte) & MAX128
    return digest, int(bytes(data[20 : 20 + length]) < bytes(data[1 : 1 + length]))


def as_float(value: float) -> int:
    return min(int(value), MAX64)


def low(value: int) -> int:
    return value & MAX64


EXPECTED: dict[int, Callable[[int, int], Answer]] = {
    0: lambda a, b: unsigned_or_refused(low(a) * low(b), 64),
    1: lambda a, b: signed_or_refused(signed(low(a), 64) * signed(low(b), 64), 64),
    2: lambda a, b: (a * b & MAX128, 0),
    3: lambda a, b: unsigned_or_refused(a * b, 128),
    4: lambda a, b: signed_or_refused(signed(a, 128) * signed(b, 128), 128),
    5: lambda a, b: (a // b, 0) if b else REFUSED,
    6: lambda a, b: (a % b, 0) if b else REFUSED,
    7: lambda a, b: divided(a, b, 128),
    8: lambda a, b: remainder(a, b, 128),
    9: lambda a, b: (a << (b & 127) & MAX128, 0),
    10: lambda a, b: (a >> (b & 127), 0),
    11: lambda a, b: ((signed(a, 128) >> (b & 127)) & MAX128, 0),
    12: lambda a, b: (low(a) * low(b), 0),
    13: lambda a, _: (bit_counts(a), 0),
    14: lambda a, b: unsigned_or_refused(a + b, 128),
    15: lambda a, b: signed_or_refused(signed(a, 128) - signed(b, 128), 128),
    16: lambda a, b: (min(low(a) * low(b), MAX64), 0),
    17: lambda a, b: divided(low(a), low(b), 64),
    18: lambda a, b: remainder(low(a), low(b), 64),
    20: lambda a, b: (seven_arguments(low(a), low(b)), 0),
    21: lambda a, b: (compared(signed(a, 128), signed(b, 128)) | compared(a, b) << 8, 0),
    22: memory,
    23: lambda a, b: (as_float(float(low(a)) * float(low(b))), 0),
    24: lambda a, _: (as_float(float(low(a)) * 1e-9), 0),
}

Compute = Callable[[int, int, int], Answer]


@pytest.fixture(scope="module")
def compute() -> Compute:
    """Runs one operation in the virtual machine."""
    svm = LiteSVM().with_transaction_history(0).with_sigverify(False).with_blockhash_check(False)
    program, key = Pubkey.new_unique(), Keypair()
    svm.add_program_from_file(program, PROGRAM)
    svm.airdrop(key.pubkey(), 10**12)

    def run(op: int, a: int, b: int) -> Answer:
        data = bytes([op]) + a.to_bytes(16, "little") + b.to_bytes(16, "little")
        message = Message([Instruction(program, data, [])], key.pubkey())
        result = svm.send_transaction(Transaction([key], message, svm.latest_blockhash()))
        assert isinstance(result, TransactionMetadata), (op, a, b, result)
        data = result.return_data().data  # type: ignore[attr-defined]  # solders leaves it out of its stubs
        returned = bytes(data).ljust(17, b"\0")  # the runtime drops zeros at the end
        return int.from_bytes(returned[:16], "little"), returned[16]

    return run


def operands(op: int) -> list[tuple[int, int]]:
    """Edges with edges, numbers of every size, and neighbours of the overflow borders."""
    rng = random.Random(op)
    drawn = [(rng.getrandbits(rng.randint(1, 128)), rng.getrandbits(rng.randint(1, 128))) for _ in range(300)]
    border = []
    for _ in range(100):
        a = rng.getrandbits(rng.randint(1, 63)) or 1
        border += [(a, (most // a + step) & MAX128) for most in (MAX64, MAX128) for step in (0, 1)]
    return [(a, b) for a in EDGES for b in EDGES] + drawn + border


@pytest.mark.parametrize("op", EXPECTED)
def test_operation_agrees_with_python(compute: Compute, op: int) -> None:
    for a, b in operands(op):
        assert compute(op, a, b) == EXPECTED[op](a, b), (op, hex(a), hex(b))
