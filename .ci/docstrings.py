"""Checks the docstrings of public functions: each says more than the name, and `Raises:` names what it raises.

A function can raise what its body raises, and what the functions of its own module raise that it calls.
`python .ci/docstrings.py [PATH ...]`; without paths the whole product.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("edge", "hub", "firmware-sim/firmware_sim", "programs/toolchain", ".ci")
LEFT_OUT = ("hub/web/node_modules",)
QUIET = {"NotImplementedError", "CancelledError", "SystemExit", "KeyboardInterrupt", "StopIteration", "AssertionError"}
"""What ends a program or cannot be met; nobody handles it."""
ENTRY_POINTS = {"run", "main", "add_arguments"}
"""A command's own functions: what they raise is what the command prints, as its runbook says."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Fault:
    """One function whose docstring does not say enough."""

    path: Path
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.what}"


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Walks a function's body, but not the functions and classes that it defines."""
    for child in ast.iter_child_nodes(function):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        yield child
        yield from own_nodes(child)


def name_of(node: ast.expr | None) -> str:
    """Returns the last name of `a.b.C(...)`: C; empty for anything else."""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def raised_by(function: Function) -> set[str]:
    """Returns the classes that the body raises itself; a bare `raise` and a raised variable are somebody else's."""
    names = {name_of(node.exc) for node in own_nodes(function) if isinstance(node, ast.Raise) and node.exc is not None}
    return {name for name in names if name[:1].isupper() and name not in QUIET}


def called_by(function: Function) -> set[str]:
    """Returns the functions of its own module that the body calls: `name(...)` and `self.name(...)`."""
    calls = [node.func for node in own_nodes(function) if isinstance(node, ast.Call)]
    return {call.id for call in calls if isinstance(call, ast.Name)} | {
        call.attr
        for call in calls
        if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name) and call.value.id in {"self", "cls"}
    }


class Module:
    """The functions of one file, and what each can raise."""

    def __init__(self, path: Path) -> None:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        self.public: list[tuple[Function, bool]] = list(self._public(tree, in_class=False))
        every = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        self._raised = {function.name: raised_by(function) for function in every}
        self._called = {function.name: called_by(function) for function in every}

    def _public(self, node: ast.AST, *, in_class: bool) -> Iterator[tuple[Function, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
                yield from self._public(child, in_class=True)
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_"):
                yield child, in_class

    def can_raise(self, function: Function) -> set[str]:
        """Returns the classes that the function raises, and those behind it in the same module."""
        seen: set[str] = set()
        waiting, raised = [function.name], set(raised_by(function))
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            for called in self._called.get(name, ()):
                if called in self._raised:
                    raised |= self._raised[called]
                    waiting.append(called)
        return raised


def faults_of(path: Path) -> Iterator[Fault]:
    """Yields what the docstrings of a file's public functions leave out."""
    module = Module(path)
    for function, is_method in module.public:
        decorators = {name_of(decorator) for decorator in function.decorator_list}
        if (
            decorators & {"get", "post", "put", "patch", "delete", "overload", "setter"}
            or function.name in ENTRY_POINTS
        ):
            continue
        text = ast.get_docstring(function) or ""
        raised = module.can_raise(function)
        if not text:
            if raised or not is_method:
                yield Fault(path, function.lineno, f"{function.name} has no docstring")
            continue
        if says_only_its_name(function.name, text):
            yield Fault(path, function.lineno, f"{function.name}: the docstring says only its name")
        if raised and "Raises:" not in text and "Raises (" not in text:
            yield Fault(path, function.lineno, f"{function.name} raises {', '.join(sorted(raised))}: say when")


def says_only_its_name(name: str, text: str) -> bool:
    """Whether a docstring holds no word that the name lacks."""
    words = set(re.findall(r"[a-z]+", text.lower())) - {"the", "a", "an", "of", "to", "this", "returns", "its", "it"}
    return bool(words) and words <= set(name.lower().split("_"))


def files(paths: list[str]) -> Iterator[Path]:
    """Yields the Python files under these paths of the repository."""
    for name in paths:
        path = ROOT / name
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            if not str(file.relative_to(ROOT)).startswith(LEFT_OUT):
                yield file


def main() -> int:
    faults = [fault for file in files(sys.argv[1:] or list(PRODUCT)) for fault in faults_of(file)]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
