"""The raw output of the benchmarks in docs/figures; a file that does not say where it was measured is refused."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from bench.common.figures import at_factor_1
from bench.common.machine_factor import REFERENCE_S

FOLDER = Path(__file__).resolve().parents[1] / "figures"


class Machine(BaseModel):
    """Where it was measured; ``commit`` ends with ``, changed`` when the code was not that of the commit."""

    cpu: str
    cores: int
    commit: str = Field(pattern=r"^[0-9a-f]{12}(, changed)?$")


class Quantity(BaseModel):
    """What one figure was over all runs of a file; files of before November 30 hold no single ``values``."""

    unit: str
    min: float
    median: float
    max: float
    values: tuple[float, ...] = ()
    runs: int
    what: str

    @property
    def all_values(self) -> tuple[float, ...]:
        """The value of each run, or what is known of them."""
        return self.values or (self.min, self.median, self.max)


class Measurement(BaseModel):
    """One run of a script of bench/, as it printed it with ``--json``."""

    bench: str
    measured_at: datetime
    machine: Machine
    others_busy_cores: float
    machine_factor: float | None = None
    reference_s: float | None = None
    quick: Literal[False] = False
    figures: dict[str, Quantity] = Field(default_factory=dict)

    @property
    def factor(self) -> float | None:
        """The machine's factor over today's constant; None in files that do not say which constant theirs was over."""
        if self.machine_factor is None or self.reference_s is None:
            return None
        return self.machine_factor * self.reference_s / REFERENCE_S

    def at_factor_1(self, figure: str) -> float | None:
        """A figure's median as the reference machine would have it; None where that can not be said."""
        quantity = self.figures[figure]
        return None if self.factor is None else at_factor_1(quantity.median, quantity.unit, self.factor)


def read(folder: Path = FOLDER) -> dict[str, Measurement]:
    """Reads every JSON file below ``folder``; the oldest measurement comes first, under its path below ``folder``.

    Raises:
        SystemExit: a file is no measurement, or holds no figures.
    """
    found = {}
    for file in sorted(folder.rglob("*.json")):
        try:
            measurement = Measurement.model_validate_json(file.read_text())
        except ValidationError as error:
            raise SystemExit(f"{file} is no output of a script in bench/ with --json: {error}") from None
        if not measurement.figures and measurement.bench != "validator":
            raise SystemExit(f"{file} holds no figures: measure again, or delete it")
        found[str(file.relative_to(folder))] = measurement
    return dict(sorted(found.items(), key=lambda entry: entry[1].measured_at))


def newest(measurements: Iterable[Measurement], bench: str) -> list[Measurement]:
    """Returns the measurements by ``bench`` of the commit that it measured last."""
    of_bench = [measurement for measurement in measurements if measurement.bench == bench]
    return [one for one in of_bench if one.machine.commit == of_bench[-1].machine.commit]
