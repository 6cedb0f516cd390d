"""Every instruction of the five programs with its accounts and arguments, as the IDLs state them."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from support.programs.svm import NAMES, ROOT


@dataclass(frozen=True)
class Slot:
    """A place for an account in an instruction."""

    name: str
    signer: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Shape:
    """An instruction."""

    program: str
    name: str
    slots: tuple[Slot, ...]
    arguments: tuple[tuple[str, Any], ...]
    """Names, and types in the IDL's words."""

    @property
    def title(self) -> str:
        """Program and instruction."""
        return f"{self.program}.{self.name}"


@cache
def idl(program: str) -> Any:
    """A program's IDL in Anchor's own form."""
    return json.loads((ROOT / f"hub/chain/idl/{program}.json").read_text())


@cache
def shapes() -> dict[str, Shape]:
    """Every instruction, by program and name."""
    found = [_shape(program, instruction) for program in NAMES for instruction in idl(program)["instructions"]]
    return {shape.title: shape for shape in found}


@cache
def discriminators() -> dict[tuple[str, bytes], str]:
    """The name of an account type, by its program and how its data begins."""
    return {
        (program, bytes(account["discriminator"])): account["name"]
        for program in NAMES
        for account in idl(program)["accounts"]
    }


@cache
def own_errors() -> frozenset[str]:
    """What the programs themselves refuse with, by name."""
    return frozenset(error["name"] for program in NAMES for error in idl(program)["errors"])


def defined(program: str, name: str) -> Any:
    """A struct or enum of a program's IDL."""
    return next(kind["type"] for kind in idl(program)["types"] if kind["name"] == name)


def _shape(program: str, instruction: Any) -> Shape:
    slots = [
        Slot(account["name"], account.get("signer", False), account.get("optional", False))
        for account in instruction["accounts"]
    ]
    arguments = [(argument["name"], argument["type"]) for argument in instruction["args"]]
    return Shape(program, instruction["name"], tuple(slots), tuple(arguments))
