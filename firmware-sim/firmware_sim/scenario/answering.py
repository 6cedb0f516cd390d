"""What a meter answers, pure: its true snapshot goes through the faults that are active, and comes out as shown.

It also says how the answer goes out: silent, late, refused, several times, under another unit id.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from firmware_sim.energy import Energy
from firmware_sim.meter import Snapshot, serial_number, serial_values
from firmware_sim.quantities import Quantities
from firmware_sim.scenario.file import Fault
from firmware_sim.scenario.kinds import VALUES, KindName
from firmware_sim.scenario.timeline import Window


@dataclass(frozen=True)
class Truth:
    """What really flowed and what the meter counted of it, in Wh since the meter was made, and the active faults."""

    flowed_import_wh: int
    flowed_export_wh: int
    counted_import_wh: int
    counted_export_wh: int
    faults: tuple[str, ...]

    def fields(self) -> dict[str, object]:
        """Returns these ready for JSON."""
        return {**vars(self), "faults": list(self.faults)}

    @classmethod
    def of(cls, energy: Energy, windows: list[Window]) -> "Truth":
        """Takes the energy of a moment, and the names of the faults that are active then."""
        return cls(*energy.flowed.wh, *energy.counted.wh, tuple(window.name for window in windows))


@dataclass(frozen=True)
class Answer:
    """What is shown, and how it goes out.

    ``silent``: not at all; ``refused``: the code of the exception that a request for a value gets, by the value's key,
    "" for any request; ``spoiled``: it breaks off or has a wrong checksum; ``profile``: the kind of meter that answers;
    ``unit``: the unit id that it answers under; ``head``: the name of the message's head; None: the right one.
    """

    snapshot: Snapshot
    truth: Truth | None = None
    silent: bool = False
    offline: bool = False
    refused: Mapping[str, int] = field(default_factory=dict)
    spoiled: frozenset[KindName] = frozenset()
    late_ms: int = 0
    copies: int = 0
    retained: bool = False
    split: bool = False
    swapped_words: bool = False
    profile: str | None = None
    unit: int | None = None
    head: str | None = None
    export_active: bool = False
    single_connection: bool = False


@dataclass(frozen=True)
class Circumstances:
    """What a fault may need besides its own numbers: the seed, the seconds from the wall clock to site time, and what
    another meter shows at the same time."""

    seed: int
    sun_offset_s: int
    shown_by: Callable[[str], Snapshot]
    begin_s: int = 0


def answer_with(answer: Answer, window: Window, circumstances: Circumstances) -> Answer:
    """Applies one active fault to an answer."""
    fault = window.fault
    circumstances = replace(circumstances, begin_s=window.begin_s or 0)
    if (shows := _SHOWN.get(fault.kind)) is not None:
        return replace(answer, snapshot=shows(answer.snapshot, fault, circumstances))
    if (sends := _SENT.get(fault.kind)) is not None:
        return sends(answer, fault)
    return answer


def with_values(snapshot: Snapshot, values: Mapping[str, int]) -> Snapshot:
    """Returns the snapshot with other values; registers, power and the total of both follow."""
    merged = Quantities({**snapshot.values, **values})
    merged["total_wh"] = merged["import_wh"] + merged["export_wh"]
    return replace(
        snapshot,
        import_wh=merged["import_wh"],
        export_wh=merged["export_wh"],
        power_w=merged["power_w"],
        values=merged,
    )


def _zeros(snapshot: Snapshot, _: Fault, __: Circumstances) -> Snapshot:
    return with_values(snapshot, dict.fromkeys(snapshot.values, 0))


def _constant(snapshot: Snapshot, fault: Fault, _: Circumstances) -> Snapshot:
    given = {"import_wh": fault.import_wh, "export_wh": fault.export_wh}
    return with_values(snapshot, {name: value for name, value in given.items() if value is not None})


def _misread(snapshot: Snapshot, fault: Fault, _: Circumstances) -> Snapshot:
    return with_values(
        snapshot,
        {
            "import_wh": snapshot.import_wh + (fault.import_wh or 0),
            "export_wh": snapshot.export_wh + (fault.export_wh or 0),
        },
    )


def _other_meter(snapshot: Snapshot, fault: Fault, circumstances: Circumstances) -> Snapshot:
    other = circumstances.shown_by(fault.of or "")
    keys = ("import_wh", "export_wh", *(VALUES["serial"] if fault.new_serial else ()))
    return with_values(snapshot, {key: other.values[key] for key in keys})


def _power(snapshot: Snapshot, fault: Fault, _: Circumstances) -> Snapshot:
    if fault.watts is not None:
        first_w = fault.watts // 3
        phases_w = (first_w, first_w, fault.watts - 2 * first_w)
    else:
        percent = 100 if fault.percent is None else fault.percent
        first, second, third = (snapshot.values[f"power_l{phase}_w"] * percent // 100 for phase in (1, 2, 3))
        phases_w = (first, second, third)
    values = {f"power_l{phase}_w": watts for phase, watts in enumerate(phases_w, start=1)}
    return with_values(snapshot, {**values, "power_w": sum(phases_w)})


def _value(snapshot: Snapshot, fault: Fault, _: Circumstances) -> Snapshot:
    odd = {key: str(fault.shows) for quantity in fault.quantities for key in VALUES[quantity]}
    return replace(snapshot, odd={**snapshot.odd, **odd})


def _serial(snapshot: Snapshot, fault: Fault, circumstances: Circumstances) -> Snapshot:
    drawn = serial_number(circumstances.seed, f"another {snapshot.values['serial']}")
    return with_values(snapshot, serial_values(fault.number or drawn))


def _clock(snapshot: Snapshot, fault: Fault, circumstances: Circumstances) -> Snapshot:
    if fault.uptime:
        return replace(snapshot, clock_s=snapshot.at_s - circumstances.begin_s)
    clock_s = snapshot.clock_s + (fault.offset_s or 0)
    if fault.zone is not None:
        # By the site's date, so that a night in autumn has its hour twice whenever it is played
        there = datetime.fromtimestamp(snapshot.at_s + circumstances.sun_offset_s, ZoneInfo(fault.zone))
        clock_s += int(there.replace(tzinfo=UTC).timestamp() - there.timestamp())
    return replace(snapshot, clock_s=clock_s)


_SHOWN: Mapping[KindName, Callable[[Snapshot, Fault, Circumstances], Snapshot]] = {
    "zeros": _zeros,
    "constant": _constant,
    "misread": _misread,
    "other_meter": _other_meter,
    "power": _power,
    "value": _value,
    "serial": _serial,
    "clock": _clock,
}
"""Faults of what is shown."""


def _refused(answer: Answer, fault: Fault) -> Answer:
    keys = [key for quantity in fault.quantities for key in VALUES[quantity]] or [""]
    return replace(answer, refused={**answer.refused, **dict.fromkeys(keys, fault.code or 0)})


_SENT: Mapping[KindName, Callable[[Answer, Fault], Answer]] = {
    "power_cut": lambda answer, _: replace(answer, silent=True, offline=True),
    "silence": lambda answer, _: replace(answer, silent=True),
    "offline": lambda answer, _: replace(answer, silent=True, offline=True),
    "netting": lambda answer, _: replace(answer, export_active=True),
    "word_order": lambda answer, _: replace(answer, swapped_words=True),
    "wrong_profile": lambda answer, fault: replace(answer, profile=fault.profile),
    "repeat": lambda answer, fault: replace(answer, copies=fault.copies),
    "retained": lambda answer, _: replace(answer, retained=True),
    "head": lambda answer, fault: replace(answer, head=fault.head),
    "split": lambda answer, _: replace(answer, split=True),
    "late": lambda answer, fault: replace(answer, late_ms=fault.late_ms or 0),
    "exception": _refused,
    "wrong_unit": lambda answer, fault: replace(answer, unit=fault.unit),
    "truncated": lambda answer, _: replace(answer, spoiled=answer.spoiled | {"truncated"}),
    "crc_error": lambda answer, _: replace(answer, spoiled=answer.spoiled | {"crc_error"}),
    "single_connection": lambda answer, _: replace(answer, single_connection=True),
}
"""Faults of how it goes out."""
