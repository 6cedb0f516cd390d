"""Compute units of the programs' instructions, as programs/README.md shows them and tests hold them to their budgets.

A module `<something>_measures.py` beside this one has a function `measures()` that plays a scenario and returns
`Measure`s.
"""

import importlib
from dataclasses import dataclass
from pathlib import Path

ADDRESS_TRY_CU = 1_500
"""Compute units for each address that the runtime tries while it searches an account's."""


@dataclass(frozen=True)
class Measure:
    """Compute units of one call of an instruction, and its budget without the search for a new account's address."""

    program: str
    instruction: str
    compute_units: int
    address_tries: int = 0
    """Tries that the search for a new account's address took; they depend on the account's name alone."""
    budget_cu: int | None = None
    note: str = ""

    @property
    def searching_cu(self) -> int:
        """Compute units spent on the address search."""
        return self.address_tries * ADDRESS_TRY_CU

    @property
    def work_cu(self) -> int:
        """Compute units without the address search: what a budget and a regression are about."""
        return self.compute_units - self.searching_cu


def tries(bump: int) -> int:
    """Addresses that were tried until this bump was found."""
    return 256 - bump


def all_measures() -> list[Measure]:
    """Every scenario's measures, by module name."""
    modules = sorted(path.stem for path in Path(__file__).parent.glob("*_measures.py"))
    return [measure for name in modules for measure in importlib.import_module(f"support.programs.{name}").measures()]
