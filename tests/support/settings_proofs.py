"""Collects which settings a test file shows the effect of, and compares them with all fields of a settings class."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, get_args

from pydantic import BaseModel

Test = TypeVar("Test", bound=Callable[..., object])


class SettingsProofs:
    """The proofs of one settings class and of the sections in it; a setting is named ``Class.field``.

    A field that holds a section, or several, is no setting of its own: the section's fields are.
    """

    def __init__(self, settings: type[BaseModel]) -> None:
        self._settings = settings
        self._proven: set[str] = set()

    def proves(self, *names: str) -> Callable[[Test], Test]:
        """Says which settings a test shows the effect of."""
        self._proven.update(names)
        return lambda test: test

    def check(self) -> None:
        """Fails when a setting has no proof, and when a proof names no setting."""
        settings = set(_settings_of(self._settings))
        assert settings - self._proven == set(), "a setting without a proof: add a test that runs a program with it"
        assert self._proven - settings == set(), "there is no such setting any more"


def _settings_of(section: type[BaseModel]) -> Iterator[str]:
    for name, field in section.model_fields.items():
        parts = list(_sections_in(field.annotation))
        if not parts:
            yield f"{section.__name__}.{name}"
        for part in parts:
            yield from _settings_of(part)


def _sections_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yields the settings classes in an annotation such as ``tuple[Meter, ...]`` or ``Load | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _sections_in(argument)
