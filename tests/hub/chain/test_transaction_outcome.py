"""The outcome by several nodes' reports: final and expired take a quorum, everything else takes one node."""

import pytest

from hub.chain.errors import TransactionFailedError
from hub.chain.transaction_outcome import Level, NodeReport, Status, TransactionOutcome, combine_reports

FAILED = TransactionFailedError("no")


def reported(level: Level, slot: int = 5, error: TransactionFailedError | None = None) -> NodeReport:
    return NodeReport(Status(slot, level, error))


FINAL, CONFIRMED, UNKNOWN, EXPIRED = (
    reported("finalized"),
    reported("confirmed"),
    NodeReport(None),
    NodeReport(None, expired=True),
)


def outcome_of(*reports: NodeReport | None) -> TransactionOutcome:
    names = "abc"
    return combine_reports(dict(zip(names, reports, strict=False)), quorum=len(reports) // 2 + 1)


@pytest.mark.parametrize(
    ("reports", "level"),
    [
        ((FINAL,), "finalized"),
        ((FINAL, FINAL), "finalized"),
        ((FINAL, FINAL, EXPIRED), "finalized"),
        ((FINAL, None, FINAL), "finalized"),
        ((FINAL, None), "confirmed"),
        ((FINAL, CONFIRMED), "confirmed"),
        ((FINAL, UNKNOWN), "confirmed"),
        ((FINAL, EXPIRED), "confirmed"),
        ((FINAL, reported("finalized", slot=6)), "confirmed"),
        ((FINAL, reported("finalized", error=FAILED)), "confirmed"),
        ((reported("processed"), UNKNOWN), "processed"),
        ((UNKNOWN, CONFIRMED), "confirmed"),
        ((UNKNOWN, UNKNOWN), None),
    ],
)
def test_final_is_what_a_quorum_says_of_one_slot_and_outcome(
    reports: tuple[NodeReport, ...], level: str | None
) -> None:
    status = outcome_of(*reports).status
    assert (status and status.level) == level


@pytest.mark.parametrize(
    ("reports", "expired"),
    [
        ((EXPIRED,), True),
        ((EXPIRED, EXPIRED), True),
        ((EXPIRED, EXPIRED, CONFIRMED), True),
        ((EXPIRED, UNKNOWN), False),
        ((EXPIRED, None), False),
        ((EXPIRED, CONFIRMED), False),
        ((EXPIRED, None, None), False),
    ],
)
def test_expired_is_what_a_quorum_says(reports: tuple[NodeReport, ...], *, expired: bool) -> None:
    outcome = outcome_of(*reports)
    assert outcome.expired is expired
    assert outcome.status is None or not expired


def test_a_dispute_is_a_final_word_without_a_quorum_and_is_told_in_words() -> None:
    assert not outcome_of(FINAL, FINAL, EXPIRED).disputed and not outcome_of(CONFIRMED, UNKNOWN).disputed
    outcome = outcome_of(FINAL, UNKNOWN, None)
    assert outcome.disputed and not outcome.known
    assert outcome.details == "a says finalized in slot 5; b does not know it; c does not answer"
    assert "says finalized in slot 5 with no" in outcome_of(reported("finalized", error=FAILED)).details
