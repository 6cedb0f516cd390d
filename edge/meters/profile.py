"""Meter profiles: YAML files with the register map of a kind of meter and its limits, checked against a schema."""

from fractions import Fraction
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from edge.errors import ConfigError
from edge.meters.decode import WORDS

Kind = Literal["u16", "i16", "u32", "i32", "f32", "u64", "i64", "f64"]
Function = Literal["input", "holding"]
_FOLDER = files("edge.meters") / "profiles"


def _fraction(value: object) -> Fraction:
    if isinstance(value, float):
        raise ValueError("write the factor as a whole number or a fraction in quotes, such as '1/10'")  # noqa: TRY004
    return Fraction(str(value))


Factor = Annotated[Fraction, BeforeValidator(_fraction)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Register(_Part):
    """One value: zero-based wire address, type, and the factor that makes Wh of it, or a quantity's whole units."""

    address: int = Field(
        ge=0,
        le=65535,
        description="Where the value begins: the zero-based address on the wire. Many manuals count from 1 or 30001.",
    )
    type: Kind = Field(description="Letter and bits: `u` unsigned, `i` signed, `f` IEEE 754; 16 bits are one register.")
    factor: Factor = Field(
        default=Fraction(1),
        description="Multiplies what was read, before it is rounded half up: 1000 where the meter counts kWh and Wh "
        "are wanted. A whole number, or a fraction in quotes such as `'1/10'`.",
    )
    function: Function | None = Field(
        default=None, description="The Modbus function of this value, where it is not the profile's."
    )

    @property
    def count(self) -> int:
        """How many registers it takes."""
        return WORDS[self.type]


class EnergyRegister(Register):
    """A register that counts energy, and only grows until it begins again."""

    rollovers_wh: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(),
        description="Where the register begins again at 0, in Wh, as the manual says: several where it depends on a "
        "setting of the meter. Unset: a fall to near 0 is a reset, never a rollover.",
    )
    optional: bool = Field(
        default=False,
        description="`true` for an export register that some of these meters do not have: then export is 0 where the "
        "meter refuses it or says that it is not available. An import register can not be optional.",
    )


class Quantity(Register):
    """A value beside the energy, stored as a whole number of 10**scale base units."""

    obis: str = Field(
        pattern=r"^\d{1,3}\.\d{1,3}\.\d{1,3}$",
        description="OBIS code (C.D.E) of the value, such as `16.7.0`; the agent's `quantities` asks for it.",
    )
    scale: int = Field(
        default=0,
        ge=-12,
        le=12,
        description="Power of ten of the unit that is stored: with `factor: 1000, scale: -3` the value is in "
        "thousandths.",
    )
    optional: bool = Field(
        default=True,
        description="`true` where some of these meters may not have it: one that refuses it is asked for the rest "
        "alone, and this value is left out. `false` where every meter of this kind has it: one that refuses it is no "
        "such meter, and is not recorded.",
    )


class Serial(_Part):
    """Where the serial number is: a number, or text of ``registers`` registers (one or two characters in each)."""

    address: int = Field(ge=0, le=65535, description="Where it begins: the zero-based address on the wire.")
    type: Literal["u32", "text", "low_bytes"] = Field(
        default="u32",
        description="`u32`: a number of two registers; `text`: two characters in each register; `low_bytes`: one, in "
        "the low byte.",
    )
    registers: int = Field(default=2, ge=1, le=20, description="How many registers are read; 2 for `u32`.")
    function: Function | None = Field(
        default=None, description="The Modbus function of the serial number, where it is not the profile's."
    )


class Check(_Part):
    """One thing that must hold of a meter of this kind; it holds when it does at one of the addresses."""

    name: str = Field(
        pattern=r"^[a-z ]{1,24}$", description="What is looked at, such as `voltage`: a refusal names it."
    )
    addresses: tuple[Annotated[int, Field(ge=0, le=65535)], ...] = Field(
        min_length=1,
        max_length=3,
        description="Zero-based addresses on the wire; several where one phase may be without voltage.",
    )
    type: Kind | Literal["text"] = Field(description="As of any value; or `text`, two characters in each register.")
    registers: int = Field(default=1, ge=1, le=20, description="How many registers a `text` takes.")
    factor: Factor = Field(default=Fraction(1), description="Multiplies what was read before it is compared.")
    function: Function | None = Field(
        default=None, description="The Modbus function of this value, where it is not the profile's."
    )
    lowest: int | None = Field(default=None, description="The least that the value may be.")
    highest: int | None = Field(default=None, description="The most that the value may be.")
    one_of: tuple[int, ...] = Field(default=(), description="What the value may be. Empty: anything.")
    none_of: tuple[int, ...] = Field(
        default=(), description="What the value may not be, such as the code of another model that answers alike."
    )
    begins: str = Field(default="", max_length=40, description="What a `text` begins with.")
    optional: bool = Field(
        default=False,
        description="`true` where some of these meters do not have the register: then nothing is checked.",
    )

    @property
    def count(self) -> int:
        """How many registers it takes."""
        return self.registers if self.type == "text" else WORDS[self.type]


class Profile(_Part):
    """A kind of meter, from the manual that ``source`` names."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,31}$",
        description="The file's name without `.yaml`; not written in the file.",
    )
    maker: str = Field(description="Who makes the meter.")
    model: str = Field(description="The models that this register map holds for.")
    source: str = Field(description="The manual that addresses, types and factors come from, and what to know of it.")
    function: Function = Field(description="Modbus function: `input` is 4 (read only), `holding` is 3.")
    low_word_first: bool = Field(
        default=False, description="`true` where the low register of a value comes first, as some meters send it."
    )
    max_registers: int = Field(
        default=125, ge=2, le=125, description="The most registers that the meter gives in one reply."
    )
    pairs_only: bool = Field(
        default=False, description="`true` where start and length of a request must be even numbers of registers."
    )
    hole_max: int = Field(
        default=8,
        ge=0,
        le=125,
        description="Registers between two values that may be read and dropped, so that one request does for both. 0 "
        "where the meter refuses addresses that have no value.",
    )
    barriers: tuple[int, ...] = Field(
        default=(),
        description="Addresses that a request for several values may not contain, such as the first of another table.",
    )
    silence_ms: int = Field(
        default=0, ge=0, le=2000, description="Milliseconds that the bus is left silent before the next request."
    )
    reply_ms: int = Field(
        default=300,
        ge=10,
        le=10_000,
        description="Milliseconds that a reply is waited for; on a serial line the time on the wire comes on top.",
    )
    worst_reply_ms: int = Field(
        default=1000,
        ge=10,
        le=20_000,
        description="Milliseconds after which no late reply can come any more. On RTU the bus rests so long after a "
        "time-out, so that a late reply is not taken for the next one.",
    )
    max_power_w: int = Field(
        ge=1,
        description="The most power in W that the meter can measure; a gateway's `rated_power_w` goes before it.",
    )
    save_period_s: int = Field(
        default=0,
        ge=0,
        le=86_400,
        description="Seconds between two moments at which the meter saves its energy: after a power cut its registers "
        "may be so old. Unset: they are never lower than before.",
    )
    import_wh: EnergyRegister = Field(
        description="The register of the energy taken from the grid (OBIS 1.8.0), in "
        "Wh. It only grows: one that nets import and export runs backwards, and is of no use."
    )
    export_wh: EnergyRegister | None = Field(
        default=None,
        description="The register of the energy given to the grid (OBIS 2.8.0), in Wh. Unset: the meter has none, and "
        "export is 0.",
    )
    quantities: tuple[Quantity, ...] = Field(
        default=(),
        description="What can be read of the meter beside its energy; a gateway reads what its `quantities` name.",
    )
    serial: Serial | None = Field(
        default=None,
        description="Where the serial number is, so that a swapped meter is noticed. Unset: it has none to read.",
    )

    probe: tuple[Check, ...] = Field(
        default=(),
        description="What must hold before a reading is signed, and again after the meter was lost: its model, a "
        "plausible voltage and frequency. A meter that does not fit is not recorded. Empty: any meter fits.",
    )

    @field_validator("import_wh")
    @classmethod
    def _always_there(cls, value: EnergyRegister) -> EnergyRegister:
        if value.optional:
            raise ValueError("a meter without an import register can not be recorded: it is never optional")
        return value

    @property
    def hash(self) -> bytes:
        """SHA-256 of all fields, which a ``meter`` record carries."""
        return sha256(self.model_dump_json().encode()).digest()


def profile_names() -> list[str]:
    """Returns the names of the profiles that come with the agent, sorted."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _FOLDER.iterdir() if entry.name.endswith(".yaml"))


@cache
def load_profile(name: str) -> Profile:
    """Loads a profile that comes with the agent.

    Raises:
        ConfigError: there is none of this name, or it breaks the schema.
    """
    if name not in profile_names():
        raise ConfigError(f"There is no meter profile {name!r}: use one of {', '.join(profile_names())}")
    return parse_profile((_FOLDER / f"{name}.yaml").read_text(), name)


def parse_profile(text: str, name: str) -> Profile:
    """Parses a profile in YAML.

    Raises:
        ConfigError: it is not YAML, or it breaks the schema.
    """
    try:
        return Profile.model_validate({"name": name, **yaml.safe_load(text)})
    except (yaml.YAMLError, TypeError) as error:
        raise ConfigError(f"The meter profile {name} is not a YAML mapping: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"The meter profile {name} is wrong: {faults}") from error
