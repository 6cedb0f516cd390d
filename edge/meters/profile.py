"""Meter profiles: YAML files with the register map of a kind of meter and its limits, checked against a schema."""

from fractions import Fraction
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

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

    address: int = Field(ge=0, le=65535)
    type: Kind
    factor: Factor = Fraction(1)
    function: Function | None = None

    @property
    def count(self) -> int:
        """How many registers it takes."""
        return WORDS[self.type]


class Quantity(Register):
    """A value beside the energy, stored as a whole number of 10**scale base units."""

    obis: str = Field(pattern=r"^\d{1,3}\.\d{1,3}\.\d{1,3}$")
    scale: int = Field(default=0, ge=-12, le=12)
    optional: bool = True


class Serial(_Part):
    """Where the serial number is: a number, or text of ``registers`` registers (one or two characters in each)."""

    address: int = Field(ge=0, le=65535)
    type: Literal["u32", "text", "low_bytes"] = "u32"
    registers: int = Field(default=2, ge=1, le=20)
    function: Function | None = None


class Profile(_Part):
    """A kind of meter, from the manual that ``source`` names."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    maker: str
    model: str
    source: str
    function: Function
    low_word_first: bool = False
    max_registers: int = Field(default=125, ge=2, le=125)
    pairs_only: bool = Field(default=False, description="Start and length of a request must be even")
    hole_max: int = Field(default=8, ge=0, le=125, description="Registers in between that may be read and dropped")
    barriers: tuple[int, ...] = Field(default=(), description="Addresses that no request may cover")
    silence_ms: int = Field(default=0, ge=0, le=2000, description="Bus silence before the next request")
    reply_ms: int = Field(default=300, ge=10, le=10_000, description="Usual time until the reply is complete")
    worst_reply_ms: int = Field(default=1000, ge=10, le=20_000, description="A reply can still come after this long")
    max_power_w: int = Field(ge=1, description="More the meter can not measure")
    import_wh: Register
    export_wh: Register | None = None
    quantities: tuple[Quantity, ...] = ()
    serial: Serial | None = None

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
