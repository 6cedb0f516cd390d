"""The programs as the reference finds them: console scripts, the models that people write, the parsers of commands."""

import argparse
import inspect
import pkgutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import get_args

from pydantic import BaseModel
from pydantic_settings import BaseSettings

ROOT = Path(__file__).resolve().parents[2]
CARRIED_BY_THE_API = {"schemas", "problems"}
"""Modules with the models of requests and answers: `hub/api/openapi.json` describes these."""
PROCESSES_OF_THEIR_OWN = {"__main__", "profile_builder"}
"""Modules that a program starts and never imports: they load what it must not, pandas for one."""

Model = type[BaseModel]


@dataclass(frozen=True)
class Program:
    """A console script and the module that reads its command line."""

    name: str
    module: str

    @property
    def package(self) -> str:
        """The package that holds the program."""
        return self.module.partition(".")[0]

    def parser(self) -> argparse.ArgumentParser:
        """Makes the parser of the whole command line."""
        parser: argparse.ArgumentParser = import_module(self.module).build_parser()
        return parser


def programs() -> list[Program]:
    """Reads the console scripts from pyproject.toml."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    return [Program(name, target.partition(":")[0]) for name, target in scripts.items()]


def roots(package: str) -> list[Model]:
    """Imports a whole package and finds the models of files in it: the settings first, then other kinds of file."""
    found = [model for module in _modules(package) for model in _models_of(module)]
    inner = {part for model in found for part in parts(model) if part is not model}
    bases = {base for model in found for base in model.__mro__[1:]}
    outer = [model for model in found if model not in inner | bases]
    return sorted(outer, key=lambda model: (not issubclass(model, BaseSettings), model.__module__))


def _modules(package: str) -> Iterator[str]:
    for entry in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        if entry.name.rpartition(".")[2] not in PROCESSES_OF_THEIR_OWN | CARRIED_BY_THE_API:
            yield entry.name


def _models_of(module: str) -> Iterator[Model]:
    for _, value in inspect.getmembers(import_module(module), inspect.isclass):
        if issubclass(value, BaseModel) and value.__module__ == module and value.model_fields:
            yield value


def parts(model: Model) -> dict[Model, list[str]]:
    """The model and all models inside of it, each with the dotted keys that lead to it."""
    found: dict[Model, list[str]] = {model: [""]}
    for name, field in model.model_fields.items():
        for inner in models_in(field.annotation):
            for part, keys in parts(inner).items():
                found.setdefault(part, []).extend(f"{name}.{key}".removesuffix(".") for key in keys)
    return found


def models_in(annotation: object) -> Iterator[Model]:
    """The models that a field's type names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser, then those of its commands and their actions."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from commands(child)


def arguments(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The parser's own positional arguments and flags, without --help."""
    no_argument = (argparse._HelpAction, argparse._SubParsersAction)
    return [action for action in parser._actions if not isinstance(action, no_argument)]


def sentence(text: str | None) -> str:
    """The first paragraph of a text, as a sentence in Markdown."""
    first = " ".join(inspect.cleandoc(text or "").partition("\n\n")[0].split()).replace("``", "`")
    return f"{first[:1].upper()}{first[1:].removesuffix('.')}." if first else ""
