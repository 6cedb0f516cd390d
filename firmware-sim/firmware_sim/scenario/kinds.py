"""The kinds of faults: what each does in a sentence, which keys it takes and needs, and which meters can have it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from firmware_sim.meter import SERIAL_CHARACTERS
from firmware_sim.quantities import CURRENTS, LINE_VOLTAGES, VOLTAGES

KindName = Literal[
    "frozen", "reversed_ct", "false_export", "netting", "power_cut",
    "reset", "jump", "swap", "rollover",
    "zeros", "constant", "misread", "other_meter", "power", "value", "serial", "word_order", "wrong_profile",
    "clock", "repeat", "retained", "offline", "head", "split",
    "silence", "late", "exception", "wrong_unit", "truncated", "crc_error", "single_connection",
]  # fmt: skip
Quantity = Literal[
    "import", "export", "total", "power", "voltage", "current", "power_factor", "frequency", "apparent", "reactive",
    "serial",
]  # fmt: skip
OddValue = Literal["nan", "not_available", "lowest", "null", "text", "array", "missing"]
Place = Literal["counts", "display", "answer"]
"""Where a fault acts: on what the meter counts, once on what its display shows, or on what is answered."""

MODBUS, MQTT, SERIAL_LINE = frozenset({"tcp", "rtu", "rtutcp"}), frozenset({"mqtt"}), frozenset({"rtu", "rtutcp"})
MODBUS_VALUES = frozenset({"nan", "not_available", "lowest"})
MQTT_VALUES = frozenset({"nan", "null", "text", "array", "missing"})


@dataclass(frozen=True)
class Kind:
    """A kind of fault: what it does, where it acts, the keys that it needs and may have, and its meters' transports.

    ``any_of``: it needs at least one of these keys.
    """

    does: str
    place: Place
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    any_of: frozenset[str] = frozenset()
    transports: frozenset[str] = MODBUS | MQTT

    @property
    def keys(self) -> frozenset[str]:
        """All keys of its own."""
        return self.needs | self.takes | self.any_of


def _keys(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENERGIES = _keys("import_wh export_wh")

KINDS: Mapping[KindName, Kind] = {
    "frozen": Kind(
        "Registers stand still while power flows; with `catches_up` the meter counts on and shows it afterwards.",
        "counts", takes=_keys("registers catches_up")),
    "reversed_ct": Kind(
        "Current transformers mounted the wrong way round on 1 to 3 `phases`: with 3 import is counted as export, with "
        "1 or 2 both registers rise.", "counts", takes=_keys("phases")),
    "false_export": Kind(
        "The meter measures an export of `watts` in place of what flows: also by night, also of a mere load.",
        "counts", needs=_keys("watts")),
    "netting": Kind(
        "Export runs the import register backwards; a `tasmota-energy` meter adds `ExportActive`.", "counts"),
    "power_cut": Kind(
        "No power: nothing is counted or answered, and nothing flows unless `flows`. Afterwards registers stand where "
        "they last were at a multiple of `save_period_s`.", "counts", takes=_keys("flows save_period_s")),
    "reset": Kind("Registers begin anew, at 0 or the energy given.", "display", takes=_keys("registers") | ENERGIES),
    "jump": Kind("Registers jump by the energy given, and go on from there.", "display", any_of=ENERGIES),
    "swap": Kind(
        "Another meter is mounted, with the registers given or drawn ones, and a serial number of its own unless "
        "`new_serial` is false.", "display", takes=_keys("new_serial") | ENERGIES),
    "rollover": Kind(
        "Registers reach `width_wh` with the first energy counted from this moment on, and go on from 0; they are "
        "placed for that at the scenario's start.",
        "display", needs=_keys("width_wh"), takes=_keys("registers")),
    "zeros": Kind("Every value is 0, the serial number empty.", "answer"),
    "constant": Kind("Registers show the energy given, whatever is counted.", "answer", any_of=ENERGIES),
    "misread": Kind("Registers are off by the energy given.", "answer", any_of=ENERGIES),
    "other_meter": Kind(
        "Registers, and with `new_serial` the serial number too, are those of the meter `of`.", "answer",
        needs=_keys("of"), takes=_keys("new_serial")),
    "power": Kind(
        "Power disagrees with energy: it is shown as `percent` of the real one, or as `watts`.", "answer",
        any_of=_keys("percent watts")),
    "value": Kind("Values of `quantities` are shown as no number.", "answer", needs=_keys("quantities shows")),
    "serial": Kind("The serial number is another.", "answer", takes=_keys("number")),
    "word_order": Kind("The words of each value come in the other order.", "answer", transports=MODBUS),
    "wrong_profile": Kind(
        "Another kind of meter answers than is configured.", "answer", needs=_keys("profile"), transports=MODBUS),
    "clock": Kind(
        "The device's clock is off by `offset_s`, shows local time of `zone` (summer or winter time by the site's "
        "date), or with `uptime` seconds since its start as 1970.", "answer", any_of=_keys("offset_s zone uptime"),
        transports=MQTT),
    "repeat": Kind("Each message comes `copies` times more.", "answer", takes=_keys("copies"), transports=MQTT),
    "retained": Kind(
        "Messages are published retained: a subscriber that comes later gets the last one, which is old.", "answer",
        transports=MQTT),
    "offline": Kind("The device says that it is offline, and publishes nothing.", "answer", transports=MQTT),
    "head": Kind("Tasmota's head has another name, `head`.", "answer", needs=_keys("head"), transports=MQTT),
    "split": Kind("Shelly's power and energy come in messages of their own.", "answer", transports=MQTT),
    "silence": Kind("It does not answer, or publishes nothing.", "answer"),
    "late": Kind(
        "It answers or publishes `late_ms` later than asked; what it says is of the moment asked for.", "answer",
        needs=_keys("late_ms")),
    "exception": Kind(
        "It refuses with the Modbus exception `code`: every request, or those for any of `quantities`.", "answer",
        needs=_keys("code"), takes=_keys("quantities"), transports=MODBUS),
    "wrong_unit": Kind("It answers under the unit id `unit`.", "answer", takes=_keys("unit"), transports=MODBUS),
    "truncated": Kind("Answers break off in the middle.", "answer", transports=MODBUS),
    "crc_error": Kind("Answers have a wrong checksum.", "answer", transports=SERIAL_LINE),
    "single_connection": Kind(
        "It takes one connection at a time, and closes others at once.", "answer",
        transports=frozenset({"tcp", "rtutcp"})),
}  # fmt: skip

VALUES: Mapping[Quantity, tuple[str, ...]] = {
    "import": ("import_wh",),
    "export": ("export_wh",),
    "total": ("total_wh",),
    "power": ("power_w", "power_l1_w", "power_l2_w", "power_l3_w"),
    "voltage": (*VOLTAGES, *LINE_VOLTAGES, "voltage_mean_mv", "voltage_line_mean_mv"),
    "current": ("current_ma", *CURRENTS, "current_mean_ma", "current_sum_ma"),
    "power_factor": ("power_factor_permille", *(f"power_factor_l{phase}_permille" for phase in (1, 2, 3))),
    "frequency": ("frequency_millihz",),
    "apparent": ("apparent_va", *(f"apparent_l{phase}_va" for phase in (1, 2, 3))),
    "reactive": ("reactive_var", *(f"reactive_l{phase}_var" for phase in (1, 2, 3))),
    "serial": ("serial", *(f"serial_character_{i}" for i in range(SERIAL_CHARACTERS))),
}
"""The quantities by which a file names values, and the keys of a snapshot that they stand for."""
