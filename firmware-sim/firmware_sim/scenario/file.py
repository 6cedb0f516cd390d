"""A scenario's file in TOML: which fault happens when, on which meter, how long and with what numbers."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from firmware_sim.errors import ScenarioError
from firmware_sim.scenario.kinds import KINDS, MODBUS_VALUES, MQTT_VALUES, Kind, KindName, OddValue, Quantity
from firmware_sim.settings import Meter, ModbusProfile

SHIPPED = Path(__file__).parent.parent / "scenarios"
MAX_S = 400 * 86_400
FIRST_YEAR, LAST_YEAR = 1971, 2099
MAX_WH = 2**63 - 1
WHEN = frozenset({"name", "kind", "meters", "at_s", "at", "after", "for_s", "answers", "until"})
"""The keys that every fault may have."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fault(_Part):
    """One fault: one begin (`at_s`, `at` or `after`), at most one end (`for_s`, `answers` or `until`), and the keys of
    its kind."""

    kind: KindName = Field(
        description="What happens; the [chapter on scenarios](../simulator.md#scenarios) has a row for each."
    )
    name: str = Field(
        default="",
        pattern=r"^[a-z0-9_-]{0,40}$",
        description="How labels and other faults name it: a-z, 0-9, `-` and `_`. Unset: as in `zeros-1`.",
    )
    meters: tuple[str, ...] = Field(min_length=1, max_length=1000, description="Ids of the meters that have it.")
    at_s: int | None = Field(
        default=None, ge=0, le=MAX_S, description="Begin: seconds after the scenario's start. 0 when no begin is given."
    )
    at: datetime | time | None = Field(
        default=None,
        description="Begin in site time: a date and time (without a zone: the site's), or a time of day, which is the "
        "next one.",
    )
    after: str | None = Field(default=None, description="Begin: when the fault of this name ends on the same meter.")
    for_s: int | None = Field(default=None, ge=1, le=MAX_S, description="End: after so many seconds.")
    answers: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="End: after so many answers or messages that carry the import register, or would have carried it.",
    )
    until: str | None = Field(default=None, description="End: when the fault of this name begins on the same meter.")
    registers: Literal["import", "export", "both"] = Field(default="both", description="Which registers it touches.")
    import_wh: int | None = Field(
        default=None, ge=-MAX_WH, le=MAX_WH, description="Energy for the import register, in Wh."
    )
    export_wh: int | None = Field(
        default=None, ge=-MAX_WH, le=MAX_WH, description="Energy for the export register, in Wh."
    )
    width_wh: int | None = Field(
        default=None,
        ge=1000,
        le=MAX_WH,
        description="Where the register rolls over: 4294967296, 1000000, 100000000 Wh.",
    )
    catches_up: bool = Field(default=False, description="Whether what was counted meanwhile is shown afterwards.")
    phases: int = Field(default=3, ge=1, le=3, description="How many phases have it.")
    watts: int | None = Field(default=None, ge=-10_000_000, le=10_000_000, description="Power in W.")
    percent: int | None = Field(default=None, ge=-1000, le=10_000, description="Share of the real value, in percent.")
    flows: bool = Field(default=False, description="Whether energy flows on behind a meter without power.")
    save_period_s: int = Field(
        default=0,
        ge=0,
        le=86_400,
        description="How often the meter saves its registers, at whole multiples. 0: at once.",
    )
    new_serial: bool = Field(default=True, description="Whether the serial number changes with it.")
    of: str | None = Field(default=None, description="The meter whose values come.")
    quantities: tuple[Quantity, ...] = Field(default=(), description="Which values it touches.")
    shows: OddValue | None = Field(
        default=None,
        description="What comes in place of a number. Modbus: `nan` (registers that are no floats: `not_available`), "
        "`not_available` (all ones, signed 0x7FFF...), `lowest` (0x8000...). MQTT: `nan`, `null`, `text`, `array`, "
        "`missing`.",
    )
    number: int | None = Field(default=None, ge=1, le=99_999_999, description="The serial number. Unset: a drawn one.")
    profile: ModbusProfile | None = Field(default=None, description="The register map that answers.")
    offset_s: int | None = Field(
        default=None, ge=-(10**10), le=25 * 10**10, description="Seconds by which the clock is ahead; negative: behind."
    )
    zone: str | None = Field(default=None, description="IANA name of the zone whose local time the clock shows.")
    uptime: bool | None = Field(default=None, description="Whether the clock begins at 1970 with the fault.")
    copies: int = Field(default=1, ge=1, le=100, description="How many times more a message comes.")
    head: str | None = Field(default=None, max_length=32, description="The name of the message's head; may be empty.")
    late_ms: int | None = Field(default=None, ge=1, le=600_000, description="How late the answer is, in ms.")
    code: int | None = Field(
        default=None, ge=1, le=11, description="Modbus exception code: 2 address, 4 failure, 6 busy."
    )
    unit: int = Field(default=0, ge=0, le=255, description="The unit id under which it answers.")

    @field_validator("at", mode="before")
    @classmethod
    def _is_a_moment(cls, value: object) -> object:
        if value is not None and not isinstance(value, datetime | time):
            raise ValueError(f"{value!r} is no time: write it without quotes, 14:30:00 or 2026-06-17T14:30:00+02:00")
        return value

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        try:
            return value and ZoneInfo(value).key
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is not a time zone; use a name like America/New_York") from error

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "Fault":
        kind, given = KINDS[self.kind], self.model_fields_set - WHEN
        if foreign := given - kind.keys:
            takes = f"it takes {', '.join(sorted(kind.keys))}" if kind.keys else "it takes no key of its own"
            raise ValueError(f"a fault of kind {self.kind} takes no {', '.join(sorted(foreign))}: {takes}")
        if missing := kind.needs - given:
            raise ValueError(f"a fault of kind {self.kind} needs {', '.join(sorted(missing))}")
        if kind.any_of and not kind.any_of & given:
            raise ValueError(f"a fault of kind {self.kind} needs one of {', '.join(sorted(kind.any_of))}")
        for what, keys in (("begin", ("at_s", "at", "after")), ("end", ("for_s", "answers", "until"))):
            if len(both := [key for key in keys if key in self.model_fields_set]) > 1:
                raise ValueError(f"{' and '.join(both)} are both given: leave all but one {what} out")
        ends = self.model_fields_set & {"for_s", "answers", "until"}
        if kind.place == "display" and ends:
            raise ValueError(f"a fault of kind {self.kind} happens once: leave {', '.join(sorted(ends))} out")
        if kind.place == "counts" and self.answers is not None:
            raise ValueError(f"a fault of kind {self.kind} ends by for_s or until: it goes on when nobody asks")
        return self

    @property
    def is_of(self) -> Kind:
        """The kind's row."""
        return KINDS[self.kind]


class Scenario(_Part):
    """A scenario: when and for how long it plays, and its faults."""

    about: str = Field(default="", max_length=200, description="What it shows, in one sentence; `list` prints it.")
    start: datetime | None = Field(
        default=None,
        description="Site time at its start (without a zone: the site's). Sun and loads are of then, unless "
        "`sun_offset_s` is set. Unset: now; `--offline` needs it.",
    )
    duration_s: int = Field(
        default=86_400, ge=60, le=MAX_S, description="How long `--offline` plays it; served, it plays until stopped."
    )
    poll_period_s: int = Field(
        default=60, ge=1, le=3600, description="Seconds between two readings of `--offline`, at whole multiples."
    )
    fault: tuple[Fault, ...] = Field(default=(), max_length=1000, description="The faults, one `[[fault]]` each.")

    @field_validator("start", mode="before")
    @classmethod
    def _is_a_moment(cls, value: object) -> object:
        if value is not None and not isinstance(value, datetime):
            raise ValueError(f"{value!r} is no date and time: write it without quotes, 2026-06-17T14:30:00+02:00")
        if value is not None and not FIRST_YEAR <= value.year <= LAST_YEAR:
            raise ValueError(
                f"the year {value.year} is not from {FIRST_YEAR} to {LAST_YEAR}, for which sun and loads are known"
            )
        return value

    @model_validator(mode="after")
    def _names_are_there_once(self) -> "Scenario":
        names = self.names
        for index, name in enumerate(names):
            if name in names[:index]:
                raise ValueError(f"two faults have the name {name}: give one of them another")
        needed = {name: [n for n in (f.after, f.until) if n] for name, f in zip(names, self.fault, strict=True)}
        for name, others in needed.items():
            if unknown := [other for other in others if other not in needed]:
                raise ValueError(f"fault {name} waits for {unknown[0]!r}, and no fault has this name")
        try:
            TopologicalSorter(needed).prepare()
        except CycleError as error:
            raise ValueError(f"these faults wait for each other: {', '.join(error.args[1])}") from error
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the faults, in order."""
        return tuple(fault.name or f"{fault.kind}-{place}" for place, fault in enumerate(self.fault, start=1))


@dataclass(frozen=True)
class LoadedScenario:
    """A scenario with its path, and the digest of its file."""

    path: Path
    digest: str
    scenario: Scenario


def shipped() -> dict[str, Path]:
    """Returns the scenarios that come with the simulator, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}


def load_scenario(name: str, meters: tuple[Meter, ...]) -> LoadedScenario:
    """Reads a file, or the shipped scenario of this name, for these meters.

    Raises:
        ScenarioError: there is none, it is not as the reference has it, or a meter can not have the fault.
    """
    path = Path(name)
    if not path.is_file() and re.fullmatch(r"[a-z0-9-]+", name):
        if name not in shipped():
            raise ScenarioError(f"There is no scenario {name}: `peerwatt-sim list` shows them, or name a file")
        path = shipped()[name]
    loaded = read_scenario(path)
    for wrong in _against(loaded.scenario, {meter.id: meter for meter in meters}):
        raise ScenarioError(f"{path}: {wrong}")
    return loaded


def read_scenario(path: Path) -> LoadedScenario:
    """Reads a file, whatever meters there are.

    Raises:
        ScenarioError: it can not be read, or is not as the reference has it.
    """
    try:
        raw = path.read_bytes()
        scenario = Scenario.model_validate(tomllib.loads(raw.decode()))
    except OSError as error:
        raise ScenarioError(f"The scenario {path} can not be read ({error.strerror}): name a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(_where(e["loc"], e["msg"].removeprefix("Value error, ")) for e in error.errors()[:5])
        raise ScenarioError(f"{path}: {faults}") from error
    return LoadedScenario(path, sha256(raw).hexdigest(), scenario)


def _where(loc: tuple[int | str, ...], message: str) -> str:
    """Names the key of a fault by its place: ``fault 2: at_s: ...``."""
    if loc[:1] == ("fault",) and len(loc) > 1 and isinstance(loc[1], int):
        loc = (f"fault {loc[1] + 1}", *(part for part in loc[2:] if isinstance(part, str) and part.isidentifier()))
    return f"{': '.join(map(str, loc))}: {message}" if loc else message


def _against(scenario: Scenario, meters: dict[str, Meter]) -> Iterator[str]:
    """Yields what does not fit the configured meters."""
    for name, fault in zip(scenario.names, scenario.fault, strict=True):
        for meter_id in (*fault.meters, *((fault.of,) if fault.of else ())):
            if meter_id not in meters:
                yield f"fault {name}: there is no meter {meter_id!r}: configured are {', '.join(list(meters)[:20])}"
                return
        for meter_id in fault.meters:
            transport, profile = meters[meter_id].transport, meters[meter_id].profile
            if transport not in fault.is_of.transports:
                wanted = " or ".join(sorted(fault.is_of.transports))
                yield f"fault {name}: {meter_id} is a meter on {transport}; kind {fault.kind} needs one on {wanted}"
            values = MQTT_VALUES if transport == "mqtt" else MODBUS_VALUES
            if fault.shows and fault.shows not in values:
                known = ", ".join(sorted(values))
                yield f"fault {name}: a meter on {transport} can not show {fault.shows}: use {known}"
            wanted_profile = {"head": "tasmota", "split": "shelly"}.get(fault.kind, "")
            if not profile.startswith(wanted_profile):
                yield f"fault {name}: {meter_id} is a {profile}; kind {fault.kind} needs a {wanted_profile}"
