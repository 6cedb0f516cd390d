"""The demo's campus: its people, buildings and meters, with owner, kind and rated power of each meter."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from hub.accounts.schemas import Affiliation, Role
from hub.chain.instructions.registry import MeterKind

NAME, TIMEZONE, CURRENCY = "Campus Ilmenau", "Europe/Berlin", "EUR"

CAMPUS = UUID("6f0b52a4-6f7e-4a10-9d1c-2f8f6d0e6c11")
"""Namespace of the demo's identifiers, which are the same in every demo."""


@dataclass(frozen=True)
class Person:
    """A person with a login. One who does not trade has no wallet, and is billed at the utility's tariffs."""

    name: str
    email: str
    affiliation: Affiliation
    role: Role = "participant"
    trades: bool = True
    participates: bool = True

    @property
    def participant_id(self) -> UUID:
        return uuid5(CAMPUS, f"participant/{self.email}")

    @property
    def user_id(self) -> UUID:
        return uuid5(CAMPUS, f"user/{self.email}")


@dataclass(frozen=True)
class MeterSpec:
    """A meter as the hub registers it; the simulator says how it is read and which loads it has."""

    meter_id: str
    owner: str
    kind: MeterKind
    rated_power_w: int


@dataclass(frozen=True)
class Building:
    """A building with its gateway and meters."""

    gateway_id: str
    name: str
    meters: tuple[MeterSpec, ...]


PEOPLE = (
    Person("Ada Keller", "ada@campus.example", "resident"),
    Person("Ben Okafor", "ben@campus.example", "student"),
    Person("Chiara Rossi", "chiara@campus.example", "student"),
    Person("Dev Patel", "dev@campus.example", "faculty"),
    Person("Elif Yilmaz", "elif@campus.example", "resident"),
    Person("Faculty of Engineering", "faculty@campus.example", "faculty"),
    Person("Felix Huber", "felix@campus.example", "student"),
    Person("Grace Mensah", "grace@campus.example", "faculty"),
    Person("Hana Sato", "hana@campus.example", "staff"),
    Person("Workshop cooperative", "workshop@campus.example", "staff"),
    Person("Kiln and foundry", "kiln@campus.example", "staff"),
    Person("Canteen", "canteen@campus.example", "staff"),
    Person("Library", "library@campus.example", "staff", trades=False),
    Person("Operations", "operator@campus.example", "staff", role="operator", participates=False),
)

BUILDINGS = (
    Building(
        "gw-north",
        "Teaching building",
        (
            MeterSpec("METER_001", "dev", "bidirectional", 60_000),
            MeterSpec("METER_002", "faculty", "load", 60_000),
            MeterSpec("METER_003", "faculty", "bidirectional", 80_000),
            MeterSpec("METER_004", "grace", "load", 60_000),
            MeterSpec("METER_005", "library", "load", 80_000),
        ),
    ),
    Building(
        "gw-south",
        "Student residence",
        (
            MeterSpec("METER_006", "ada", "bidirectional", 20_000),
            MeterSpec("METER_007", "ben", "load", 20_000),
            MeterSpec("METER_008", "chiara", "bidirectional", 40_000),
            MeterSpec("METER_009", "felix", "load", 20_000),
            MeterSpec("METER_010", "elif", "bidirectional", 40_000),
        ),
    ),
    Building(
        "gw-workshop",
        "Workshop",
        (
            MeterSpec("METER_011", "workshop", "bidirectional", 80_000),
            MeterSpec("METER_012", "hana", "load", 60_000),
            MeterSpec("METER_013", "workshop", "bidirectional", 60_000),
            MeterSpec("METER_014", "kiln", "load", 60_000),
            MeterSpec("METER_015", "canteen", "load", 60_000),
        ),
    ),
)


def person(short_name: str) -> Person:
    """Returns the person whose e-mail address begins with this name."""
    return next(each for each in PEOPLE if each.email.startswith(f"{short_name}@"))
