"""Every attack on every instruction of the IDLs ends as declared in `attacks/`, and docs/attacks.md shows it."""

import pytest

from support.programs.attacks import declared
from support.programs.attacks.play import UNNAMED, play
from support.programs.attacks.report import PAGE, page
from support.programs.attacks.scene import Scene, all_scenes
from support.programs.attacks.shapes import shapes
from support.programs.svm import NAMES


def test_every_instruction_has_a_scene() -> None:
    assert set(shapes()) - {scene.shape for scene in all_scenes()} == set()


@pytest.mark.parametrize("scene", all_scenes(), ids=lambda scene: f"{scene.program}.{scene.name}")
def test_every_attack_ends_as_declared(scene: Scene) -> None:
    expected = {place: one.outcome for place, one in declared.outcomes(scene).items()}
    assert play(scene) == expected


@pytest.mark.parametrize("program", NAMES)
def test_nothing_is_declared_for_a_scene_that_is_not_played(program: str) -> None:
    assert declared.scene_names(program) == {scene.name for scene in all_scenes() if scene.program == program}


@pytest.mark.parametrize("scene", all_scenes(), ids=lambda scene: f"{scene.program}.{scene.name}")
def test_every_refusal_has_a_name(scene: Scene) -> None:
    assert [outcome for outcome in play(scene).values() if UNNAMED.search(outcome)] == []


def test_the_page_shows_what_the_attacks_led_to() -> None:
    assert PAGE.read_text() == page(), "run programs/toolchain/attacks.py and commit docs/attacks.md"
