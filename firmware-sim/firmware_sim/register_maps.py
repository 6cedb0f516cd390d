"""The register maps of the simulated Modbus meters, as data.

Sources: Eastron SDM120 v2.5 and SDM630 v2 protocol papers, Schneider DOCA0005EN, Janitza UMG 96RM address list, Carlo
Gavazzi EM330/EM340 protocol, ABB 2CMC485003M0201. All addresses are zero-based wire addresses.
"""

import struct
from collections.abc import Mapping
from fractions import Fraction

from firmware_sim.registers import HOLDING, INPUT, Field, RegisterMap, RegisterTable

KILO = Fraction(1, 1000)
MILLI = Fraction(1, 1000)
BOTH = frozenset({HOLDING, INPUT})


def _phases(first: int, step: int, kind: str, name: str, units: Fraction = Fraction(1)) -> tuple[Field, ...]:
    return tuple(Field(first + i * step, kind, name.format(i + 1), units) for i in range(3))


def _table(
    functions: frozenset[int],
    ranges: tuple[tuple[int, int], ...],
    fields: tuple[Field, ...],
    constants: Mapping[int, int] | None = None,
) -> RegisterTable:
    return RegisterTable(functions, ranges, fields, constants or {})


def _text(first: int, text: str, registers: int) -> dict[int, int]:
    raw = text.encode().ljust(2 * registers, b"\0")
    return {first + i: int.from_bytes(raw[2 * i : 2 * i + 2], "big") for i in range(registers)}


def _float_words(first: int, value: float) -> dict[int, int]:
    high, low = struct.unpack(">2H", struct.pack(">f", value))
    return {first: high, first + 1: low}


SDM120 = RegisterMap(
    "sdm120",
    (
        _table(
            frozenset({INPUT}),
            ((0x0000, 80), (0x0156, 2)),
            (
                Field(0x0000, "f32", "voltage_l1_mv", MILLI),
                Field(0x0006, "f32", "current_ma", MILLI),
                Field(0x000C, "f32", "power_w"),
                Field(0x0012, "f32", "apparent_va"),
                Field(0x0018, "f32", "reactive_var"),
                Field(0x001E, "f32", "power_factor_permille", MILLI),
                Field(0x0046, "f32", "frequency_millihz", MILLI),
                Field(0x0048, "f32", "import_wh", KILO),
                Field(0x004A, "f32", "export_wh", KILO),
                Field(0x0156, "f32", "total_wh", KILO),
            ),
        ),
        _table(
            frozenset({HOLDING}),
            ((0x0014, 2), (0xF920, 1), (0xFC00, 4)),
            (Field(0xFC00, "u32", "serial"),),
            {**_float_words(0x0014, 1.0), 0xF920: 2, 0xFC02: 0x0020, 0xFC03: 0x0203},
        ),
    ),
    max_registers=80,
    pairs_only=True,
)

SDM630 = RegisterMap(
    "sdm630",
    (
        _table(
            frozenset({INPUT}),
            ((0x0000, 80), (0x0156, 2)),
            (
                *_phases(0x0000, 2, "f32", "voltage_l{}_mv", MILLI),
                *_phases(0x0006, 2, "f32", "current_l{}_ma", MILLI),
                *_phases(0x000C, 2, "f32", "power_l{}_w"),
                Field(0x0034, "f32", "power_w"),
                Field(0x0038, "f32", "apparent_va"),
                Field(0x003C, "f32", "reactive_var"),
                Field(0x003E, "f32", "power_factor_permille", MILLI),
                Field(0x0046, "f32", "frequency_millihz", MILLI),
                Field(0x0048, "f32", "import_wh", KILO),
                Field(0x004A, "f32", "export_wh", KILO),
                Field(0x0156, "f32", "total_wh", KILO),
            ),
        ),
        _table(
            frozenset({HOLDING}),
            ((0x0028, 2), (0xFC00, 2)),
            (Field(0xFC00, "u32", "serial"),),
            # The word-order register holds 2141.0 in the order in force
            _float_words(0x0028, 2141.0),
        ),
    ),
    max_registers=80,
    pairs_only=True,
)

IEM3155 = RegisterMap(
    "iem3155",
    (
        _table(
            frozenset({HOLDING}),
            ((0x0031, 20), (0x0081, 2), (0x0BB7, 112), (0x0C83, 24)),
            (
                Field(0x0081, "u32", "serial"),
                *_phases(0x0BB7, 2, "f32", "current_l{}_ma", MILLI),
                *_phases(0x0BD3, 2, "f32", "voltage_l{}_mv", MILLI),
                *_phases(0x0BED, 2, "f32", "power_l{}_w", KILO),
                Field(0x0BF3, "f32", "power_w", KILO),
                Field(0x0BFB, "f32", "reactive_var", KILO),
                Field(0x0C03, "f32", "apparent_va", KILO),
                Field(0x0C25, "f32", "frequency_millihz", MILLI),
                Field(0x0C83, "i64", "import_wh"),
                Field(0x0C87, "i64", "export_wh"),
            ),
            # The power factor has a coding of its own that is not simulated: not a number
            {**_text(0x0031, "iEM3155", 20), 0x0C0B: 0xFFC0, 0x0C0C: 0},
        ),
    ),
)

UMG96RM = RegisterMap(
    "umg96rm",
    (
        _table(
            BOTH,
            ((19000, 122),),
            (
                *_phases(19000, 2, "f32", "voltage_l{}_mv", MILLI),
                *_phases(19012, 2, "f32", "current_l{}_ma", MILLI),
                *_phases(19020, 2, "f32", "power_l{}_w"),
                Field(19026, "f32", "power_w"),
                Field(19034, "f32", "apparent_va"),
                Field(19042, "f32", "reactive_var"),
                Field(19050, "f32", "frequency_millihz", MILLI),
                Field(19068, "f32", "import_wh"),
                Field(19076, "f32", "export_wh"),
            ),
        ),
    ),
)

EM340 = RegisterMap(
    "em340",
    (
        _table(
            BOTH,
            ((0x0000, 80), (0x5000, 7)),
            (
                *_phases(0x0000, 2, "i32", "voltage_l{}_mv", Fraction(1, 100)),
                *_phases(0x000C, 2, "i32", "current_l{}_ma"),
                *_phases(0x0012, 2, "i32", "power_l{}_w", Fraction(10)),
                Field(0x0028, "i32", "power_w", Fraction(10)),
                Field(0x0031, "i16", "power_factor_permille"),
                Field(0x0033, "u16", "frequency_millihz", Fraction(1, 100)),
                Field(0x0034, "i32", "import_wh", Fraction(1, 100)),
                Field(0x004E, "i32", "export_wh", Fraction(1, 100)),
                # One character in the low byte of each register
                *(Field(0x5000 + i, "u16", f"serial_character_{i}") for i in range(7)),
            ),
        ),
    ),
    low_word_first=True,
)

ABB_B23 = RegisterMap(
    "abb-b23",
    (
        _table(
            frozenset({HOLDING}),
            ((0x5000, 8), (0x5B00, 65), (0x8900, 2), (0x8960, 2)),
            (
                Field(0x5000, "u64", "import_wh", Fraction(1, 10)),
                Field(0x5004, "u64", "export_wh", Fraction(1, 10)),
                *_phases(0x5B00, 2, "u32", "voltage_l{}_mv", Fraction(1, 100)),
                *_phases(0x5B0C, 2, "u32", "current_l{}_ma", Fraction(1, 10)),
                Field(0x5B14, "i32", "power_w", Fraction(100)),
                *_phases(0x5B16, 2, "i32", "power_l{}_w", Fraction(100)),
                Field(0x5B2C, "u16", "frequency_millihz", Fraction(1, 10)),
                Field(0x5B3A, "i16", "power_factor_permille"),
                Field(0x8900, "u32", "serial"),
            ),
            _text(0x8960, "B23 ", 2),
        ),
    ),
)

MAPS: Mapping[str, RegisterMap] = {m.name: m for m in (SDM120, SDM630, IEM3155, UMG96RM, EM340, ABB_B23)}

RATED_POWER_W: Mapping[str, int] = {
    "sdm120": 230 * 45,
    "sdm630": 3 * 230 * 100,
    "iem3155": 3 * 230 * 63,
    "umg96rm": 3 * 230 * 150,  # current transformers 150/5 A
    "em340": 3 * 230 * 65,
    "abb-b23": 3 * 230 * 65,
    "tasmota-sml": 3 * 230 * 63,
    "tasmota-energy": 230 * 16,
    "shelly-gen2": 3 * 230 * 120,
}
