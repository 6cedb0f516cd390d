"""The demo's campus: who lives and works there, which meter is whose, and what stands on the roofs."""

from dataclasses import dataclass
from uuid import UUID, uuid5

CAMPUS = UUID("6f0b52a4-6f7e-4a10-9d1c-2f8f6d0e6c11")
"""Namespace of the demo's identifiers, so that every demo names its people alike."""


@dataclass(frozen=True)
class Person:
    """A participant with a login. Without ``trades`` there is no wallet: metered and billed at tariffs."""

    name: str
    email: str
    affiliation: str
    role: str = "participant"
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
    """A meter, what hangs on it and how it is read."""

    meter_id: str
    owner: str
    kind: str
    profile: str
    rated_power_w: int
    pv_kwp: float
    load: str
    annual_kwh: int


@dataclass(frozen=True)
class Building:
    """A building with one gateway; ``bus`` says how its meters are reached."""

    gateway_id: str
    name: str
    bus: str
    meters: tuple[MeterSpec, ...]


PEOPLE = (
    Person("Ada Keller", "ada@campus.example", "resident"),
    Person("Ben Okafor", "ben@campus.example", "student"),
    Person("Chiara Rossi", "chiara@campus.example", "student"),
    Person("Dev Patel", "dev@campus.example", "faculty"),
    Person("Student house North", "house-north@campus.example", "staff"),
    Person("Elif Yilmaz", "elif@campus.example", "resident"),
    Person("Felix Huber", "felix@campus.example", "student"),
    Person("Grace Mensah", "grace@campus.example", "faculty"),
    Person("Student house South", "house-south@campus.example", "staff"),
    Person("Workshop cooperative", "workshop@campus.example", "staff"),
    Person("Hana Sato", "hana@campus.example", "resident"),
    Person("Library", "library@campus.example", "staff", trades=False),
    Person("Operations", "operator@campus.example", "staff", role="operator", participates=False),
)

BUILDINGS = (
    Building(
        "gw-north",
        "North hall",
        "tcp",
        (
            MeterSpec("METER_001", "ada", "bidirectional", "sdm630", 40_000, 30, "h0", 22_000),
            MeterSpec("METER_002", "ben", "load", "sdm630", 22_000, 0, "h0", 34_000),
            MeterSpec("METER_003", "chiara", "load", "iem3155", 22_000, 0, "h0", 29_000),
            MeterSpec("METER_004", "dev", "bidirectional", "iem3155", 40_000, 18, "h0", 38_000),
            MeterSpec("METER_005", "house-north", "generation", "umg96rm", 60_000, 45, "h0", 4_000),
        ),
    ),
    Building(
        "gw-south",
        "South hall",
        "rtu",
        (
            MeterSpec("METER_006", "elif", "bidirectional", "sdm630", 40_000, 25, "h0", 20_000),
            MeterSpec("METER_007", "felix", "load", "sdm120", 12_000, 0, "h0", 26_000),
            MeterSpec("METER_008", "grace", "load", "sdm120", 12_000, 0, "h0", 31_000),
            MeterSpec("METER_009", "house-south", "bidirectional", "sdm630", 60_000, 20, "h0", 75_000),
            MeterSpec("METER_010", "house-north", "load", "sdm630", 40_000, 0, "h0", 80_000),
        ),
    ),
    Building(
        "gw-workshop",
        "Workshop and library",
        "mqtt",
        (
            MeterSpec("METER_011", "workshop", "bidirectional", "tasmota-sml", 60_000, 35, "g1", 42_000),
            MeterSpec("METER_012", "workshop", "load", "tasmota-sml", 40_000, 0, "g1", 52_000),
            MeterSpec("METER_013", "hana", "bidirectional", "tasmota-sml", 30_000, 12, "h0", 24_000),
            MeterSpec("METER_014", "library", "load", "shelly-gen2", 40_000, 0, "g1", 60_000),
            MeterSpec("METER_015", "house-south", "generation", "shelly-gen2", 50_000, 40, "h0", 3_000),
        ),
    ),
)


def person(short: str) -> Person:
    """The person whose e-mail address begins so."""
    return next(p for p in PEOPLE if p.email.startswith(f"{short}@"))
