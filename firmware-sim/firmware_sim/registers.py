"""Register images: a map says which quantity stands where and how coded; a block read is cut from one snapshot."""

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
    """A quantity at a zero-based wire address; ``units`` is how many register units one base unit makes."""

    address: int
    kind: str
    quantity: str
    units: Fraction = Fraction(1)

    @property
    def words(self) -> int:
        return struct.calcsize(_PACK[self.kind]) // 2

    def pack(self, value: int) -> bytes:
        """The coded value, high byte first; integers are cut off as a meter's display is."""
        scaled = value * self.units
        coded: float | int = float(scaled) if self.kind == "f32" else scaled.numerator // scaled.denominator
        return struct.pack(_PACK[self.kind], coded)

    def exact(self, packed: bytes) -> Fraction:
        """What a reader decodes, in base units and without rounding."""
        return Fraction(struct.unpack(_PACK[self.kind], packed)[0]) / self.units


@dataclass(frozen=True)
class Table:
    """What one set of function codes serves: readable ranges (start, count), fields and constants in them."""

    functions: frozenset[int]
    ranges: tuple[tuple[int, int], ...]
    fields: tuple[Field, ...]
    constants: Mapping[int, int]

    def holds(self, address: int, count: int) -> bool:
        return any(start <= address and address + count <= start + size for start, size in self.ranges)


@dataclass(frozen=True)
class RegisterMap:
    """A meter type as its bus shows it."""

    name: str
    tables: tuple[Table, ...]
    low_word_first: bool = False
    max_registers: int = MAX_REGISTERS
    pairs_only: bool = False


@dataclass(frozen=True)
class Answer:
    """The words of a block read, and the whole Wh of the energy registers that are complete in it."""

    words: tuple[int, ...]
    import_wh: int | None = None
    export_wh: int | None = None


def read_block(image: RegisterMap, function: int, address: int, count: int, snapshot: Snapshot) -> Answer | int:
    """Answers a read of ``count`` registers from one snapshot, or gives the Modbus exception code."""
    tables = [table for table in image.tables if function in table.functions]
    if not tables:
        return ILLEGAL_FUNCTION
    if not 1 <= count <= image.max_registers:
        return ILLEGAL_VALUE
    if image.pairs_only and (address % 2 or count % 2) and function == INPUT:
        return ILLEGAL_ADDRESS
    for table in tables:
        if table.holds(address, count):
            return _cut(image, table, address, count, snapshot)
    return ILLEGAL_ADDRESS


def _cut(image: RegisterMap, table: Table, address: int, count: int, snapshot: Snapshot) -> Answer:
    words = [table.constants.get(address + i, 0) for i in range(count)]
    energy: dict[str, int] = {}
    for field in table.fields:
        if field.address + field.words <= address or field.address >= address + count:
            continue
        packed = field.pack(snapshot.values[field.quantity])
        coded = struct.unpack(f">{field.words}H", packed)
        for i, word in enumerate(reversed(coded) if image.low_word_first else coded):
            if 0 <= (at := field.address + i - address) < count:
                words[at] = word
        if address <= field.address and field.address + field.words <= address + count:
            energy[field.quantity] = _nearest(field.exact(packed))
    return Answer(tuple(words), energy.get("import_wh"), energy.get("export_wh"))


def _nearest(value: Fraction) -> int:
    """Half goes up, as a careful reader rounds."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
