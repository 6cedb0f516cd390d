"""The declared outcome of every attack, from `tests/programs/attacks/PROGRAM.toml`."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from support.programs.attacks.cells import CALL, Place
from support.programs.attacks.play import OK
from support.programs.attacks.scene import Scene
from support.programs.svm import ROOT

FOLDER = ROOT / "tests/programs/attacks"


@dataclass(frozen=True)
class Declared:
    """`ok`, which needs a reason, or a refusal's name."""

    outcome: str
    reason: str = ""


def outcomes(scene: Scene) -> dict[Place, Declared]:
    """What is declared for a scene."""
    return dict(_read(_file(scene.program).get(scene.name, {})))


def scene_names(program: str) -> set[str]:
    """Scenes that something is declared for."""
    return set(_file(program))


@cache
def _file(program: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{program}.toml").read_text())


def _read(section: Mapping[str, Any]) -> Iterator[tuple[Place, Declared]]:
    for key, value in section.items():
        if isinstance(value, str):
            yield Place(CALL, CALL, key), _parsed(value)
            continue
        for row, columns in value.items():
            for column, text in columns.items():
                yield Place(key, row, column), _parsed(text)


def _parsed(text: str) -> Declared:
    outcome, _, reason = text.partition(f"{OK}: ")
    if outcome:
        return Declared(text)
    assert reason.strip(), "an attack that may go through needs a reason"
    return Declared(OK, reason)
