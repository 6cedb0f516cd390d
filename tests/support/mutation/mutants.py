"""Small changes to a file of Python: where it may be changed, and the file with one change."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider

from support.mutation.operators import OPERATORS

FOR_PEOPLE = {
    "Field", "debug", "info", "warning", "error", "exception", "critical", "create_task", "add_argument",
    "TypeVar", "ParamSpec",
}  # fmt: skip
"""Calls whose texts are for people or the type checker: no test needs to know their every letter."""


@dataclass(frozen=True)
class Mutant:
    """One change to one file.

    ``first_line`` and ``last_line`` count from 1 and are those of the whole statement; ``before`` and ``after`` are the
    lines that differ, without their indentation.
    """

    path: str
    line: int
    first_line: int
    last_line: int
    module: cst.Module
    node: cst.CSTNode
    replacement: Any

    @cached_property
    def source(self) -> str:
        """The whole file with the change."""
        changed = self.module.deep_replace(self.node, self.replacement)
        assert isinstance(changed, cst.Module)
        return changed.code

    @cached_property
    def _differing(self) -> tuple[str, str]:
        old, new = self.module.code.splitlines(), self.source.splitlines()
        start = next(
            (i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), min(len(old), len(new))
        )
        end = 0
        while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
            end += 1
        before, after = old[start : len(old) - end], new[start : len(new) - end]
        return " ".join(line.strip() for line in before), " ".join(line.strip() for line in after)

    @property
    def line_text(self) -> str:
        """The line that is changed, without its indentation."""
        return self.module.code.splitlines()[self.line - 1].strip()

    @property
    def before(self) -> str:
        return self._differing[0]

    @property
    def after(self) -> str:
        return self._differing[1]

    @property
    def name(self) -> str:
        """A short name that stays while the rest of the file changes."""
        statement = "\n".join(self.module.code.splitlines()[self.first_line - 1 : self.last_line])
        return hashlib.sha256(f"{self.path}\n{statement}\n{self.before}\n{self.after}".encode()).hexdigest()[:10]


class _Collector(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, path: str, module: cst.Module) -> None:
        super().__init__()
        self.mutants: list[Mutant] = []
        self._path, self._module = path, module

    def on_visit(self, node: cst.CSTNode) -> bool:
        if m.matches(node, m.Annotation() | m.Decorator() | m.Import() | m.ImportFrom() | m.TypeAlias()):
            return False
        if m.matches(node, m.If(test=m.Name("TYPE_CHECKING"))) or self._is_for_people(node):
            return False
        for kind, operator in OPERATORS:
            if isinstance(node, kind):
                self._add(node, operator(node))
        return True

    def _is_for_people(self, node: cst.CSTNode) -> bool:
        if m.matches(node, m.Expr(value=m.SimpleString() | m.ConcatenatedString())):
            return True
        if not isinstance(node, cst.BaseString):
            return False
        for parent in self._parents(node):
            if isinstance(parent, cst.Raise | cst.Assert):
                return True
            if m.matches(parent, m.Arg(keyword=m.Name("description"))):
                return True
            if isinstance(parent, cst.Call):
                name = parent.func.attr.value if isinstance(parent.func, cst.Attribute) else ""
                name = parent.func.value if isinstance(parent.func, cst.Name) else name
                if name in FOR_PEOPLE:
                    return True
        return False

    def _parents(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        while not isinstance(node, cst.Module):
            node = self.get_metadata(ParentNodeProvider, node)
            yield node

    def _add(self, node: cst.CSTNode, replacements: Iterable[cst.CSTNode]) -> None:
        if not (found := list(replacements)):
            return
        whole = next(
            (
                p
                for p in (node, *self._parents(node))
                if isinstance(p, cst.SimpleStatementLine | cst.BaseCompoundStatement)
            ),
            node,
        )
        # A match has cases in the place of a body: its lines are all of it
        is_match = isinstance(whole, cst.Match)
        head = whole.body if isinstance(whole, cst.BaseCompoundStatement) and not is_match else None
        at = self.get_metadata(PositionProvider, node)
        span = self.get_metadata(PositionProvider, whole)
        last = self.get_metadata(PositionProvider, head).start.line if head is not None else span.end.line
        self.mutants += [
            Mutant(self._path, at.start.line, span.start.line, last, self._module, node, replacement)
            for replacement in found
        ]


def mutants_of(root: Path, path: str) -> list[Mutant]:
    """Returns every change to the file at ``path`` below ``root`` that still is Python."""
    wrapper = MetadataWrapper(cst.parse_module((root / path).read_text()))
    collector = _Collector(path, wrapper.module)
    wrapper.visit(collector)
    return collector.mutants
