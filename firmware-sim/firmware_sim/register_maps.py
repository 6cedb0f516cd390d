"""The register maps of the simulated Modbus meters, as data.

Sources: Eastron SDM120 v2.5 and SDM630 v2 protocol papers, Schneider DOCA0005EN, Janitza UMG 96RM address list, Carlo
Gavazzi EM330/EM340 protocol, ABB 2CMC485003M0201. All addresses are zero-based wire addresses.
"""

import struct
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from firmware_sim.quantities import LINE_VOLTAGES
from firmware_sim.registers import HOLDING, INPUT, Field, RegisterMap, RegisterTable

KILO = Fraction(1, 1000)
MILLI = Fraction(1, 1000)
PERCENT = Fraction(1, 10)
"""Units of a register in percent, in a permille."""
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


def _between(first: int, step: int, kind: str, units: Fraction) -> tuple[Field, ...]:
    """The voltages between the phases."""
    return tuple(Field(first + i * step, kind, name, units) for i, name in enumerate(LINE_VOLTAGES))


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
            ((0x0000, 80), (0x0156, 4)),
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
                Field(0x004C, "f32", "import_varh", KILO),
                Field(0x004E, "f32", "export_varh", KILO),
                Field(0x0156, "f32", "total_wh", KILO),
                Field(0x0158, "f32", "total_varh", KILO),
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
            ((0x0000, 80), (0x00C8, 8), (0x00E0, 2), (0x00EA, 18), (0x0156, 40)),
            (
                *_phases(0x0000, 2, "f32", "voltage_l{}_mv", MILLI),
                *_phases(0x0006, 2, "f32", "current_l{}_ma", MILLI),
                *_phases(0x000C, 2, "f32", "power_l{}_w"),
                *_phases(0x0012, 2, "f32", "apparent_l{}_va"),
                *_phases(0x0018, 2, "f32", "reactive_l{}_var"),
                *_phases(0x001E, 2, "f32", "power_factor_l{}_permille", MILLI),
                *(Field(0x0024 + 2 * i, "f32", "phase_angle_millidegrees", MILLI) for i in range(3)),
                Field(0x002A, "f32", "voltage_mean_mv", MILLI),
                Field(0x002E, "f32", "current_mean_ma", MILLI),
                Field(0x0030, "f32", "current_sum_ma", MILLI),
                Field(0x0034, "f32", "power_w"),
                Field(0x0038, "f32", "apparent_va"),
                Field(0x003C, "f32", "reactive_var"),
                Field(0x003E, "f32", "power_factor_permille", MILLI),
                Field(0x0042, "f32", "phase_angle_millidegrees", MILLI),
                Field(0x0046, "f32", "frequency_millihz", MILLI),
                Field(0x0048, "f32", "import_wh", KILO),
                Field(0x004A, "f32", "export_wh", KILO),
                Field(0x004C, "f32", "import_varh", KILO),
                Field(0x004E, "f32", "export_varh", KILO),
                *_between(0x00C8, 2, "f32", MILLI),
                Field(0x00CE, "f32", "voltage_line_mean_mv", MILLI),
                Field(0x00E0, "f32", "current_neutral_ma", MILLI),
                *(Field(at, "f32", "thd_voltage_permille", PERCENT) for at in (0xEA, 0xEC, 0xEE, 0xF8)),
                *(Field(at, "f32", "thd_current_permille", PERCENT) for at in (0xF0, 0xF2, 0xF4, 0xFA)),
                Field(0x0156, "f32", "total_wh", KILO),
                Field(0x0158, "f32", "total_varh", KILO),
                *_phases(0x015A, 2, "f32", "import_l{}_wh", KILO),
                *_phases(0x0160, 2, "f32", "export_l{}_wh", KILO),
                *_phases(0x0166, 2, "f32", "total_l{}_wh", KILO),
                *_phases(0x016C, 2, "f32", "import_l{}_varh", KILO),
                *_phases(0x0172, 2, "f32", "export_l{}_varh", KILO),
                *_phases(0x0178, 2, "f32", "total_l{}_varh", KILO),
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
            ((0x0031, 20), (0x0081, 2), (0x0BB7, 112), (0x0C83, 24), (0x0CB7, 4), (0x0DBD, 12)),
            (
                Field(0x0081, "u32", "serial"),
                *_phases(0x0BB7, 2, "f32", "current_l{}_ma", MILLI),
                Field(0x0BC1, "f32", "current_mean_ma", MILLI),
                *_between(0x0BCB, 2, "f32", MILLI),
                *_phases(0x0BD3, 2, "f32", "voltage_l{}_mv", MILLI),
                Field(0x0BDB, "f32", "voltage_mean_mv", MILLI),
                *_phases(0x0BED, 2, "f32", "power_l{}_w", KILO),
                Field(0x0BF3, "f32", "power_w", KILO),
                Field(0x0BFB, "f32", "reactive_var", KILO),
                Field(0x0C03, "f32", "apparent_va", KILO),
                Field(0x0C25, "f32", "frequency_millihz", MILLI),
                Field(0x0C83, "i64", "import_wh"),
                Field(0x0C87, "i64", "export_wh"),
                Field(0x0C93, "i64", "import_varh"),
                Field(0x0C97, "i64", "export_varh"),
                Field(0x0CB7, "i64", "partial_import_wh"),
                *_phases(0x0DBD, 4, "i64", "import_l{}_wh"),
            ),
            # The power factor has a coding of its own that is not simulated: not a number
            {**_text(0x0031, "iEM3155", 20), 0x0C0B: 0xFFC0, 0x0C0C: 0},
        ),
    ),
)

LITTLE_ENDIAN_COPY = 32768
"""Where a UMG 96RM has all of its measurands once more, the low word of each first."""


def _umg_measurands(offset: int, *, other_word_order: bool) -> RegisterTable:
    fields = (
        *_phases(19000, 2, "f32", "voltage_l{}_mv", MILLI),
        *_between(19006, 2, "f32", MILLI),
        *_phases(19012, 2, "f32", "current_l{}_ma", MILLI),
        Field(19018, "f32", "current_sum_ma", MILLI),
        *_phases(19020, 2, "f32", "power_l{}_w"),
        Field(19026, "f32", "power_w"),
        *_phases(19028, 2, "f32", "apparent_l{}_va"),
        Field(19034, "f32", "apparent_va"),
        *_phases(19036, 2, "f32", "reactive_l{}_var"),
        Field(19042, "f32", "reactive_var"),
        *_phases(19044, 2, "f32", "power_factor_l{}_permille", MILLI),
        Field(19050, "f32", "frequency_millihz", MILLI),
        *_phases(19054, 2, "f32", "net_l{}_wh"),
        Field(19060, "f32", "net_wh"),
        *_phases(19062, 2, "f32", "import_l{}_wh"),
        Field(19068, "f32", "import_wh"),
        *_phases(19070, 2, "f32", "export_l{}_wh"),
        Field(19076, "f32", "export_wh"),
    )
    moved = tuple(replace(field, address=field.address + offset) for field in fields)
    return RegisterTable(BOTH, ((19000 + offset, 122),), moved, {}, other_word_order)


UMG96RM = RegisterMap(
    "umg96rm",
    (_umg_measurands(0, other_word_order=False), _umg_measurands(LITTLE_ENDIAN_COPY, other_word_order=True)),
)

EM340_CODE = 341
"""Carlo Gavazzi's identification code of an EM340-DIN AV2 3 X S1 X."""

EM340 = RegisterMap(
    "em340",
    (
        # Alone, this register is the code; in a block it belongs to a voltage
        _table(BOTH, ((0x000B, 1),), (), {0x000B: EM340_CODE}),
        _table(
            BOTH,
            ((0x0000, 80), (0x5000, 7)),
            (
                *_phases(0x0000, 2, "i32", "voltage_l{}_mv", Fraction(1, 100)),
                *_between(0x0006, 2, "i32", Fraction(1, 100)),
                *_phases(0x000C, 2, "i32", "current_l{}_ma"),
                *_phases(0x0012, 2, "i32", "power_l{}_w", Fraction(10)),
                *_phases(0x0018, 2, "i32", "apparent_l{}_va", Fraction(10)),
                *_phases(0x001E, 2, "i32", "reactive_l{}_var", Fraction(10)),
                Field(0x0024, "i32", "voltage_mean_mv", Fraction(1, 100)),
                Field(0x0026, "i32", "voltage_line_mean_mv", Fraction(1, 100)),
                Field(0x0028, "i32", "power_w", Fraction(10)),
                Field(0x002A, "i32", "apparent_va", Fraction(10)),
                Field(0x002C, "i32", "reactive_var", Fraction(10)),
                *_phases(0x002E, 1, "i16", "power_factor_l{}_permille"),
                Field(0x0031, "i16", "power_factor_permille"),
                Field(0x0033, "u16", "frequency_millihz", Fraction(1, 100)),
                Field(0x0034, "i32", "import_wh", Fraction(1, 100)),
                Field(0x0036, "i32", "import_varh", Fraction(1, 100)),
                *_phases(0x0040, 2, "i32", "import_l{}_wh", Fraction(1, 100)),
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
            ((0x5000, 8), (0x5460, 24), (0x5B00, 65), (0x8900, 2), (0x8908, 8), (0x8960, 2)),
            (
                Field(0x5000, "u64", "import_wh", Fraction(1, 10)),
                Field(0x5004, "u64", "export_wh", Fraction(1, 10)),
                *_phases(0x5460, 4, "u64", "import_l{}_wh", Fraction(1, 10)),
                *_phases(0x546C, 4, "u64", "export_l{}_wh", Fraction(1, 10)),
                *_phases(0x5B00, 2, "u32", "voltage_l{}_mv", Fraction(1, 100)),
                *_between(0x5B06, 2, "u32", Fraction(1, 100)),
                *_phases(0x5B0C, 2, "u32", "current_l{}_ma", Fraction(1, 10)),
                Field(0x5B14, "i32", "power_w", Fraction(100)),
                *_phases(0x5B16, 2, "i32", "power_l{}_w", Fraction(100)),
                Field(0x5B1C, "i32", "reactive_var", Fraction(100)),
                *_phases(0x5B1E, 2, "i32", "reactive_l{}_var", Fraction(100)),
                Field(0x5B24, "i32", "apparent_va", Fraction(100)),
                *_phases(0x5B26, 2, "i32", "apparent_l{}_va", Fraction(100)),
                Field(0x5B2C, "u16", "frequency_millihz", Fraction(1, 10)),
                Field(0x5B3A, "i16", "power_factor_permille"),
                *_phases(0x5B3B, 1, "i16", "power_factor_l{}_permille"),
                Field(0x8900, "u32", "serial"),
            ),
            {**_text(0x8908, "B2.00", 8), **_text(0x8960, "B23 ", 2)},
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
