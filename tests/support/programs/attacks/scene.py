"""A scene of an instruction: a world, and a call in it that succeeds. Each attack changes one thing of that call.

A module `support/programs/attacks/<something>_scenes.py` has functions under `@scene(...)`.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from support.programs.attacks.world import World, bare_world, founded_world

Addresses = Callable[[Any], Mapping[str, Pubkey]]
Builder = Callable[[World], "Call"]


@dataclass(frozen=True)
class Call:
    """The call of a scene, which succeeds."""

    instruction: Instruction
    signers: Sequence[Keypair] = ()
    start_s: int | None = None
    """The start of its interval; one attack comes before it."""
    addresses: Mapping[str, Addresses] = field(default_factory=dict)
    """By an argument's path: the accounts whose addresses follow from it, by its value."""
    others: Mapping[str, Mapping[str, Pubkey]] = field(default_factory=dict)
    """By an account's name: what else can stand in its place, by a label."""
    together: Mapping[str, Mapping[str, Pubkey]] = field(default_factory=dict)
    """By a label: what stands in several accounts' places at once."""
    more: Sequence[str] = ()
    """Names of the accounts behind those of the IDL."""
    before: Sequence[Instruction] = ()
    """Instructions that its transaction begins with."""


@dataclass(frozen=True)
class Scene:
    """One call of an instruction."""

    program: str
    instruction: str
    story: str
    build: Builder
    world: Callable[[], World]
    note: str = ""

    @property
    def shape(self) -> str:
        """The instruction that it shows."""
        return f"{self.program}.{self.instruction}"

    @property
    def name(self) -> str:
        """As it stands among the declared outcomes."""
        return self.instruction + (f" ({self.note})" if self.note else "")


_scenes: list[Scene] = []


def scene(
    program: str, instruction: str, note: str = "", *, world: Callable[[], World] = founded_world
) -> Callable[[Builder], Builder]:
    """Enters a function, which sets a world up and gives a call, as the scene of an instruction."""

    def enter(build: Builder) -> Builder:
        _scenes.append(Scene(program, instruction, (build.__doc__ or "").strip(), build, world, note))
        return build

    return enter


def founding(program: str) -> Callable[[Builder], Builder]:
    """The scene of a program's `initialize`, in a world where programs are deployed and nothing is founded."""
    return scene(program, "initialize", world=bare_world)


@cache
def all_scenes() -> tuple[Scene, ...]:
    """In the order of the modules' names, then as they are written."""
    for path in sorted(Path(__file__).parent.glob("*_scenes.py")):
        importlib.import_module(f"support.programs.attacks.{path.stem}")
    return tuple(_scenes)
