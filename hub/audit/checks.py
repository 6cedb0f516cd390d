"""Defines a check of an interval's public facts and its result, and runs checks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from hub.audit.facts import PublicInterval


class Verdict(Enum):
    """A check's result: it passed, found something, or lacked data."""

    OK = "ok"
    FAILED = "FAILED"
    UNCHECKED = "not checked"


Findings = Callable[[PublicInterval], Iterable[str]]
"""Returns each finding in words; none when the check passes."""
UncheckedReason = Callable[[PublicInterval], str | None]
"""Returns why the check can not be made, or None when it can."""


@dataclass(frozen=True, slots=True)
class Check:
    """A named check of one interval."""

    name: str
    meaning: str
    """What a failure means."""
    findings: Findings
    unchecked_reason: UncheckedReason


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check of one interval."""

    check: str
    verdict: Verdict
    details: tuple[str, ...]
    """The findings, or the one reason why it was not checked."""
    meaning: str


def run(checks: Sequence[Check], interval: PublicInterval) -> list[CheckResult]:
    """Runs every check, in order; a failed check does not stop the others."""
    return [_result(check, interval) for check in checks]


def failed_checks(results: Iterable[CheckResult]) -> set[str]:
    """Returns the names of the checks that found something."""
    return {result.check for result in results if result.verdict is Verdict.FAILED}


def _result(check: Check, interval: PublicInterval) -> CheckResult:
    reason = check.unchecked_reason(interval)
    if reason is not None:
        return CheckResult(check.name, Verdict.UNCHECKED, (reason,), check.meaning)
    findings = tuple(check.findings(interval))
    return CheckResult(check.name, Verdict.FAILED if findings else Verdict.OK, findings, check.meaning)
