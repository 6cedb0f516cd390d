"""What a check is, and what comes of it: a name, a question to public facts, and what it means when it fails."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from hub.audit.facts import PublicInterval


class Verdict(Enum):
    """How a check ended."""

    OK = "ok"
    FAILED = "FAILED"
    UNCHECKED = "not checked"


Judge = Callable[[PublicInterval], Iterable[str]]
Lacks = Callable[[PublicInterval], str | None]


@dataclass(frozen=True, slots=True)
class Check:
    """``judge`` gives each finding in words; ``lacks`` says what is not there to look at, or None."""

    name: str
    meaning: str
    """What it means when it fails."""
    judge: Judge
    lacks: Lacks


@dataclass(frozen=True, slots=True)
class Result:
    """One check of one interval; ``found`` are the findings, or why it was not checked."""

    check: str
    verdict: Verdict
    found: tuple[str, ...]
    meaning: str


def run(checks: Sequence[Check], interval: PublicInterval) -> list[Result]:
    """Every check, in their order; one that fails keeps none of the others back."""
    return [_result(check, interval) for check in checks]


def failed(results: Iterable[Result]) -> set[str]:
    """The names of the checks that found something."""
    return {one.check for one in results if one.verdict is Verdict.FAILED}


def _result(check: Check, interval: PublicInterval) -> Result:
    lacking = check.lacks(interval)
    if lacking is not None:
        return Result(check.name, Verdict.UNCHECKED, (lacking,), check.meaning)
    found = tuple(check.judge(interval))
    return Result(check.name, Verdict.FAILED if found else Verdict.OK, found, check.meaning)
