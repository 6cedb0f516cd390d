"""Every setting and every flag is described, whoever adds one, and the reference says when it is out of date."""

import argparse
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from docs.reference import generate
from docs.reference.programs import Program, arguments, commands, parts, programs, roots

NO_TWIN = {
    ("peerwatt-hub", "version"),
    # One of two: the environment can not say which of them a flag on the command line would replace
    *(("peerwatt-hub ledger countersign", flag) for flag in ("key", "add", "day", "head")),
}
"""Flags without a variable in the environment, by command."""


def settings_and_files() -> Iterator[type[BaseModel]]:
    for program in programs():
        for root in roots(program.package):
            yield from parts(root)


def parsers() -> Iterator[argparse.ArgumentParser]:
    for program in programs():
        yield from commands(program.parser())


def named(program: str) -> Program:
    return next(one for one in programs() if one.name == program)


def test_every_field_is_described() -> None:
    """By sentences: more than a word, with a capital and a full stop."""
    wanting = [
        f"{model.__module__}.{model.__name__}.{name}"
        for model in settings_and_files()
        for name, field in model.model_fields.items()
        if not re.fullmatch(r"[A-Z0-9`].{8,}\.", field.description or "")
    ]
    assert not wanting, f"Field(description=...) says what it is for, its unit and how to choose: {wanting}"


def test_every_command_and_flag_is_described() -> None:
    wanting = [
        f"{parser.prog} {action.dest}"
        for parser in parsers()
        for action in arguments(parser)
        if not parser.description or len(action.help or "") < 10
    ]
    assert not wanting, f"help=... says unit or form, and what holds without it: {wanting}"


def test_every_flag_names_its_twin_in_the_environment() -> None:
    wanting = {
        (parser.prog, action.dest)
        for parser in parsers()
        for action in arguments(parser)
        if action.option_strings and not re.search(r"\(env: PEERWATT_[A-Z_]+", action.help or "")
    }
    assert wanting == NO_TWIN


def test_the_walk_finds_what_is_known_to_be_there() -> None:
    """The tests above would pass on nothing."""
    found = {f"{model.__module__}.{model.__name__}" for model in settings_and_files()}
    assert {"edge.sections.Meter", "edge.meters.profile.Quantity", "hub.settings.Settings"} <= found
    assert {"firmware_sim.settings.Settings", "firmware_sim.settings.Load"} <= found
    assert {"peerwatt-edge enroll", "peerwatt-hub ledger verify", "peerwatt-sim site"} <= {p.prog for p in parsers()}
    assert {action.dest for action in arguments(named("peerwatt-hub").parser())} == {"version"}


def test_a_page_that_is_out_of_date_is_named_with_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name.startswith("PEERWATT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "PAGES", {"one.md": lambda: "one\n", "two.md": lambda: "two\n"})
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    (tmp_path / "two.md").write_text("by hand\n")
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().err == "two.md is out of date: run `make docs` and commit it\n"
