"""A participant's audit of one interval, with changes to what they know or to what is public."""

from dataclasses import dataclass, replace
from typing import Any

from hub.audit.audit import check_interval
from hub.audit.checks import CheckResult, Verdict
from hub.audit.facts import PublicInterval
from hub.audit.own_checks import ParticipantEvidence
from hub.audit.proofs import ReadingProof
from support.programs.dishonest_hub import HubStatement


@dataclass(frozen=True)
class OwnAudit:
    """What a participant knows of an interval, what the hub stated of it, and what is public."""

    evidence: ParticipantEvidence
    told: HubStatement
    interval: PublicInterval

    def found(self, check: str, **changes: Any) -> str:
        """Returns what the check finds, joined by " | "; ``changes`` are those of the evidence or of the interval."""
        result = self._result(check, changes)
        assert result.verdict is not Verdict.UNCHECKED, result.details
        return " | ".join(result.details)

    def reason(self, check: str, **changes: Any) -> str:
        """Returns why the check was not made."""
        result = self._result(check, changes)
        assert result.verdict is Verdict.UNCHECKED, result.details
        return result.details[0]

    def _result(self, check: str, changes: dict[str, Any]) -> CheckResult:
        interval = changes.pop("interval", self.interval)
        results = check_interval(interval, replace(self.evidence, **changes))
        return next(result for result in results if result.check == check)

    def journal(self, **changes: Any) -> PublicInterval:
        """Returns the interval with a journal of other orders or trades."""
        return replace(self.interval, journal=replace(self.told, **changes).journal)

    def proofs(self, at: int | None = None, part: str = "reading", **changes: Any) -> tuple[ReadingProof, ...]:
        """Returns the proofs with changes to the reading or leaf of one, or of all."""
        return tuple(
            replace(proof, **{part: replace(getattr(proof, part), **changes)}) if at in (None, number) else proof
            for number, proof in enumerate(self.evidence.proofs)
        )
