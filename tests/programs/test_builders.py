"""The hub can build every instruction of the programs that it governs."""

import re
from types import ModuleType

import pytest

from hub.chain.instructions import actions, governance, oracle, registry
from support.programs.svm import program


def snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


@pytest.mark.parametrize("module", [governance, oracle, registry], ids=lambda module: module.__name__.split(".")[-1])
def test_every_instruction_has_a_builder(module: ModuleType) -> None:
    name = module.__name__.split(".")[-1]
    assert [item.name for item in program(name).idl.instructions if not hasattr(module, snake(item.name))] == []


def test_every_action_has_a_builder() -> None:
    (action,) = [kind for kind in program("governance").idl.types if kind.name == "Action"]
    names = [variant.name for variant in action.ty.variants]
    assert len(names) == 13
    assert [name for name in names if not hasattr(actions, snake(name))] == []
