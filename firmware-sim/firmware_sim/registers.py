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
ENERGIES = frozenset({"import_wh", "export_wh"})

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
        """Encodes a value in base units, high byte first; integers are cut off, as on a meter's display.

        Of an integer that is too large for the register, the low bits are kept.
        """
        scaled = value * self.units
        if self.kind == "f32":
            return struct.pack(">f", float(scaled))
        size = 2 * self.words
        return (scaled.numerator // scaled.denominator % (1 << 8 * size)).to_bytes(size, "big")

    def coded(self, value: int) -> int:
        """Returns the whole base units that a reader gets where the register holds this value: ``exact`` of ``pack``,
        rounded, without fractions."""
        up, down = self.units.numerator, self.units.denominator
        if self.kind != "f32":
            room = 1 << 16 * self.words
            kept = value * up // down % room
            is_negative = self.kind.startswith("i") and kept >= room // 2
            return nearest_ratio((kept - room if is_negative else kept) * down, up)
        top, bottom = struct.unpack(">f", struct.pack(">f", value * up / down))[0].as_integer_ratio()
        return nearest_ratio(top * down, bottom * up)

    def pack_odd(self, shown: str) -> bytes:
        """Encodes what stands there in place of a number: ``nan``, ``not_available`` or ``lowest``.

        Sources: ABB 2CMC485003M0201 (all ones, signed 0x7FFF...), SunSpec and Schneider (signed 0x8000...).
        """
        if self.kind == "f32":
            return struct.pack(">f", float("nan"))
        size, signed = 2 * self.words, self.kind.startswith("i")
        if shown == "lowest":
            return b"\x80" + bytes(size - 1)
        return (b"\x7f" if signed else b"\xff") + b"\xff" * (size - 1)

    def exact(self, packed: bytes) -> Fraction:
        """Decodes an encoded value to base units, without rounding.

        Raises:
            ValueError: it is not a number.
        """
        return Fraction(struct.unpack(_PACK[self.kind], packed)[0]) / self.units


@dataclass(frozen=True)
class RegisterTable:
    """What function codes serve: readable ranges (first address, count), the fields in them, and constant words."""

    functions: frozenset[int]
    ranges: tuple[tuple[int, int], ...]
    fields: tuple[Field, ...]
    constants: Mapping[int, int]
    other_word_order: bool = False
    """Whether the words of its values come in the other order than the map's."""

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
    low_word_first = register_map.low_word_first != table.other_word_order
    for field in table.fields:
        if field.address + field.words <= address or field.address >= address + count:
            continue
        shown_as = snapshot.odd.get(field.quantity)
        packed = field.pack(snapshot.values[field.quantity]) if shown_as is None else field.pack_odd(shown_as)
        coded = struct.unpack(f">{field.words}H", packed)
        for i, word in enumerate(reversed(coded) if low_word_first else coded):
            if 0 <= (index := field.address + i - address) < count:
                words[index] = word
        is_whole = address <= field.address and field.address + field.words <= address + count
        if field.quantity in ENERGIES and shown_as is None and is_whole:
            energy[field.quantity] = nearest(field.exact(packed))
    return BlockReply(tuple(words), energy.get("import_wh"), energy.get("export_wh"))


def quantities_in(register_map: RegisterMap, function: int, address: int, count: int) -> frozenset[str]:
    """Returns the keys of the values that a block touches, if only with one register."""
    return frozenset(
        field.quantity
        for table in register_map.tables
        if function in table.functions
        for field in table.fields
        if field.address < address + count and address < field.address + field.words
    )


def nearest(value: Fraction) -> int:
    """Rounds to the nearest whole number, a half towards plus infinity."""
    return nearest_ratio(value.numerator, value.denominator)


def nearest_ratio(numerator: int, denominator: int) -> int:
    """Rounds a ratio with a positive denominator as ``nearest`` does."""
    return (2 * numerator + denominator) // (2 * denominator)
