"""The page of all settings: a section for each program, and in it a list for each section of its file."""

import json
import sys
import types
from collections.abc import Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from docs.reference.programs import Model, models_in, parts, programs, roots, sentence

HEAD = """<!-- Made from the code by `make docs`: correct a description there. -->

# Settings

A program reads one TOML file and the environment. The environment goes before the file, and a flag before both. Each
key below is followed by its variable in the environment, where a list or a whole section is written as JSON; what is
inside of a list has no variable of its own. A relative path begins at the folder in which the program is started.
[cli.md](cli.md) has the flags.
"""
WORDS: Mapping[object, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    SecretStr: "secret text",
    Fraction: "whole number or fraction",
    datetime: "date and time",
}
"""What a value of each type is called; other types go by their own name."""


def settings_page() -> str:
    """Makes the page."""
    lines = [HEAD]
    for program in programs():
        for root in roots(program.package):
            of = "" if issubclass(root, BaseSettings) else f", {root.__name__.lower()} files"
            lines += [f"## `{program.name}`{of}\n", f"{sentence(sys.modules[root.__module__].__doc__)}\n"]
            for part, keys in parts(root).items():
                lines += _section(root, part, keys)
    return "\n".join(lines).rstrip() + "\n"


def _section(root: Model, part: Model, keys: list[str]) -> Iterator[str]:
    if part is not root:
        yield f"### {', '.join(f'`{_header(root, key)}`' for key in keys)}\n\n{sentence(part.__doc__)}\n"
    path = keys[0] if len(keys) == 1 else ""
    for name, field in part.model_fields.items():
        key = f"{path}.{name}".removeprefix(".")
        twin = variable(root, key) if len(keys) == 1 else None
        yield f"- **`{key}`**{f' (`{twin}`)' if twin else ''}: {kind(field)}{default(field)}."
        yield f"  {field.description or ''}"
    yield ""


def _header(root: Model, key: str) -> str:
    """The line that begins the section in a file of settings; the key itself in files of another form."""
    if not issubclass(root, BaseSettings):
        return key
    return f"[[{key}]]" if _is_list(_types(root, key)[-1]) else f"[{key}]"


def variable(root: Model, key: str) -> str | None:
    """The name of a setting in the environment; None inside of a list, and in files that are no settings."""
    if not issubclass(root, BaseSettings) or any(map(_is_list, _types(root, key)[:-1])):
        return None
    return f"{root.model_config.get('env_prefix')}{key.replace('.', '__')}".upper()


def _types(root: Model, key: str) -> list[object]:
    """The types of a dotted key's parts, the outermost first."""
    first, _, rest = key.partition(".")
    annotation = root.model_fields[first].annotation
    return [annotation, *(_types(next(models_in(annotation)), rest) if rest else [])]


def kind(field: FieldInfo) -> str:
    """What may stand there, in words: its type, its choices, its range."""
    limits = {
        name: limit
        for one in field.metadata
        for name in ("ge", "le", "lt", "min_length", "max_length")
        if (limit := getattr(one, name, None)) is not None
    }
    words = _kind(field.annotation)
    for name, word in (("ge", " from"), ("le", " to"), ("lt", " to below")):
        words += f"{word} {limits[name]:,}" if name in limits else ""
    if "max_length" in limits:
        counted = "characters" if _is_text(field.annotation) else "of them"
        words += f", {limits.get('min_length', 0)} to {limits['max_length']:,} {counted}"
    return words


def _is_text(annotation: object) -> bool:
    return annotation is str or any(map(_is_text, () if _is_list(annotation) else get_args(annotation)))


def _kind(annotation: object) -> str:
    if choices := [f"`{one}`" for one in _choices(annotation)]:
        return " or ".join([", ".join(choices[:-1]), choices[-1]][len(choices) == 1 :])
    inner = [one for one in get_args(annotation) if one not in (type(None), ...)]
    if _is_list(annotation):
        return f"list of {_kind(inner[0])}s"
    if get_origin(annotation) in (Union, types.UnionType, Annotated):
        return _kind(inner[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    return WORDS.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _choices(annotation: object) -> Iterator[object]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_origin(annotation) in (Union, types.UnionType):
        for one in get_args(annotation):
            yield from _choices(one)


def _is_list(annotation: object) -> bool:
    return get_origin(annotation) in (tuple, list)


def default(field: FieldInfo) -> str:
    """What holds when it is not given, in words after its kind."""
    if field.is_required():
        return "; required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value in ("", (), []) or isinstance(value, BaseModel):
        return "; optional"
    if isinstance(value, bool | tuple):
        return f"; default `{json.dumps(value)}`"
    return f"; default `{value}`"
