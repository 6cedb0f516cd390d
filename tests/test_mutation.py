"""The driver of mutation testing: what it changes, and whether it sees that a test notices."""

import shutil
from pathlib import Path

import pytest

from support.mutation import runs
from support.mutation.__main__ import sample
from support.mutation.mutants import Mutant, mutants_of
from support.mutation.results import ResultStore
from support.mutation.rooms import Room
from support.mutation.runs import Tree, Verdict, judge, map_tests

CODE = '''"""Nothing in this text is changed: 1 < 2."""

LIMIT = 3


def within(value: int | None, *, strict: bool = True) -> bool:
    """A docstring is not changed either."""
    if value is None:
        raise ValueError("a message for people")
    return value < LIMIT


NAMED = dict(description="for people too")
'''
CHANGES = {
    ("LIMIT = 3", "LIMIT = 4"),
    ("def within(value: int | None, *, strict: bool = True) -> bool:",
     "def within(value: int | None, *, strict: bool = False) -> bool:"),
    ("if value is None:", "if value is not None:"),
    ("if value is None:", "if False:"),
    ("return value < LIMIT", "return value <= LIMIT"),
}  # fmt: skip
TEST = """import pytest
from edge.small import within

def test_within():
    assert within(2) and not within(LIMIT)

def test_none():
    with pytest.raises(ValueError):
        within(None)

LIMIT = 3
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one file and its test."""
    root = tmp_path / "root"
    (root / "edge").mkdir(parents=True)
    (root / "edge/__init__.py").touch()
    (root / "edge/small.py").write_text(CODE)
    (root / "tests").mkdir()
    (root / "tests/test_small.py").write_text(TEST)
    shutil.copytree(runs.ROOT / "tests/support/mutation", root / "tests/support/mutation")
    (root / "pytest.ini").write_text(
        "[pytest]\naddopts = -p no:pytest_anchorpy\npythonpath = tests\nasyncio_default_fixture_loop_scope = function\n"
    )
    monkeypatch.setattr(runs, "ROOT", root)
    return root


def changes(mutants: list[Mutant]) -> set[tuple[str, str]]:
    return {(mutant.before, mutant.after) for mutant in mutants}


def test_what_is_changed(small: Path) -> None:
    mutants = mutants_of(small, "edge/small.py")
    assert changes(mutants) == CHANGES
    for mutant in mutants:
        compile(mutant.source, mutant.path, "exec")


def test_the_pattern_of_a_case_is_changed_too(small: Path) -> None:
    """Its nearest statement is the match, which has cases in the place of a body."""
    (small / "edge/cases.py").write_text("match 3:\n    case 4:\n        pass\n")
    assert {mutant.after for mutant in mutants_of(small, "edge/cases.py")} >= {"match 4:", "case 5:"}


def test_a_sample_is_drawn_by_line_and_can_be_drawn_again(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.mutation.__main__.ROOT", small)
    room = Room(["edge"], ["tests"])
    drawn, same = sample(room, 100, 7, [("edge/small.py", "LIMIT = 3", "LIMIT = 4")])
    assert len(drawn) == 3 and len({mutant.line for mutant in drawn}) == 3
    assert changes(same) == {("LIMIT = 3", "LIMIT = 4")}
    assert changes(drawn) == changes(sample(room, 100, 7, [])[0]) - changes(same)
    assert [m.name for m in sample(room, 1, 7, [])[0]] == [sample(room, 100, 7, [])[0][0].name]
    before = changes(sample(room, 100, 7, [])[0])
    (small / "edge/small.py").write_text(f"MORE = 1\n{CODE}")
    assert changes(sample(room, 100, 7, [])[0]) == before | {("MORE = 1", "MORE = 2")}


def test_what_was_found_holds_until_its_files_change(small: Path, tmp_path: Path) -> None:
    noticed, survived, *_ = mutants_of(small, "edge/small.py")
    file = tmp_path / "kept" / "room.json"
    store = ResultStore(file, "now", small)
    assert store.verdict(noticed) is None and not store.noticed_before(noticed)
    store.keep(noticed, Verdict("tests/test_small.py::test_none", 3))
    store.keep(survived, Verdict("", 2))
    later = ResultStore(file, "later", small)
    assert [later.verdict(noticed), later.verdict(survived)] == [Verdict("tests/test_small.py::test_none", 0), None]
    assert ResultStore(file, "now", small).verdict(survived) == Verdict("", 0)
    (small / "tests/test_small.py").write_text(f"{TEST}MORE = 1\n")
    assert later.verdict(noticed) is None
    assert later.noticed_before(noticed) == ["tests/test_small.py::test_none"]
    (small / "tests/test_small.py").write_text(TEST)
    assert later.verdict(noticed) is not None
    (small / "edge/small.py").write_text(f"{CODE}MORE = 1\n")
    assert later.verdict(noticed) is None


def test_what_is_noticed(small: Path, tmp_path: Path) -> None:
    tree = Tree(tmp_path / "tree")
    tests = map_tests(Room(["edge"], ["tests/test_small.py"]), tree, tmp_path / "coverage", 1)
    assert set(tests.seconds) == {f"tests/test_small.py::test_{name}" for name in ("within", "none")}
    noticed = {
        (m.before, m.after): judge(m, tree, tests).by
        for m in mutants_of(small, "edge/small.py")
        if m.before != "if value is None:"
    }
    assert noticed.pop(("LIMIT = 3", "LIMIT = 4")) == "tests/test_small.py::test_within"
    assert noticed.pop(("return value < LIMIT", "return value <= LIMIT")) == "tests/test_small.py::test_within"
    assert list(noticed.values()) == [""], "nobody reads strict"
    assert (tree.folder / "edge/small.py").read_text() == CODE
