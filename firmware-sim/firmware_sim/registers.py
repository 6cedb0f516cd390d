"""Register maps: where each quantity stands and how it is coded. A block read is cut from one snapshot."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from firmware_sim.meter import Snapshot

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
HOLDING = 3
INPUT = 4
MAX_REGISTERS = 125

_PACK = {"u16": ">H", "i16": ">h", "u32": ">I", "i32": ">i", "u64": ">Q", "i64": ">q", "f32": ">f"}


@dataclass(frozen=True)
class Field:
    """A quantity at a zero-based wire address; ``units`` is how many units of the register one base unit is."""

    address: int
    kind: str
    quantity: str
    units: Fraction = Fraction(1)

    @property
    def words(self) -> int:
        """How many registers it takes."""
        return struct.calcsize(_PACK[self.kind]) // 2

    def pack(self, value: int) -> bytes:
        """Encodes a value in base units, high byte first; integers are cut off, as on a meter's display."""
        scaled = value * self.units
        coded: float | int = float(scaled) if self.kind == "f32" else scaled.numerator // scaled.denominator
        return struct.pack(_PACK[self.kind], coded)

    def exact(self, packed: bytes) -> Fraction:
        """Decodes an encoded value to base units, without rounding."""
        return Fraction(struct.unpack(_PACK[self.kind], packed)[0]) / self.units


@dataclass(frozen=True)
class RegisterTable:
    """What function codes serve: readable ranges (first address, count), the fields in them, and constant words."""

    functions: frozenset[int]
    ranges: tuple[tuple[int, int], ...]
    fields: tuple[Field, ...]
    constants: Mapping[int, int]

    def holds(self, address: int, count: int) -> bool:
        """Returns whether one of the ranges holds these registers."""
        return any(start <= address and address + count <= start + size for start, size in self.ranges)


@dataclass(frozen=True)
class RegisterMap:
    """The registers of a kind of meter, and the limits of its requests."""

    name: str
    tables: tuple[RegisterTable, ...]
    low_word_first: bool = False
    max_registers: int = MAX_REGISTERS
    pairs_only: bool = False


@dataclass(frozen=True)
class BlockReply:
    """The words of a block, and the energy in whole Wh where its register is complete in the block."""

    words: tuple[int, ...]
    import_wh: int | None = None
    export_wh: int | None = None


def read_block(
    register_map: RegisterMap, function: int, address: int, count: int, snapshot: Snapshot
) -> BlockReply | int:
    """Reads ``count`` registers from one snapshot, or returns the code of a Modbus exception."""
    tables = [table for table in register_map.tables if function in table.functions]
    if not tables:
        return ILLEGAL_FUNCTION
    if not 1 <= count <= register_map.max_registers:
        return ILLEGAL_VALUE
    if register_map.pairs_only and (address % 2 or count % 2) and function == INPUT:
        return ILLEGAL_ADDRESS
    for table in tables:
        if table.holds(address, count):
            return _cut(register_map, table, address, count, snapshot)
    return ILLEGAL_ADDRESS


def _cut(register_map: RegisterMap, table: RegisterTable, address: int, count: int, snapshot: Snapshot) -> BlockReply:
    words = [table.constants.get(address + i, 0) for i in range(count)]
    energy: dict[str, int] = {}
    for field in table.fields:
        if field.address + field.words <= address or field.address >= address + count:
            continue
        packed = field.pack(snapshot.values[field.quantity])
        coded = struct.unpack(f">{field.words}H", packed)
        for i, word in enumerate(reversed(coded) if register_map.low_word_first else coded):
            if 0 <= (index := field.address + i - address) < count:
                words[index] = word
        if address <= field.address and field.address + field.words <= address + count:
            energy[field.quantity] = _nearest(field.exact(packed))
    return BlockReply(tuple(words), energy.get("import_wh"), energy.get("export_wh"))


def _nearest(value: Fraction) -> int:
    """Rounds to the nearest whole number, a half towards plus infinity."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
