"""What several nodes' words on one transaction come to: final and expired take a quorum, everything else takes one."""

import pytest

from hub.chain.errors import TransactionFailedError
from hub.chain.transaction_outcome import Level, Opinion, Status, TransactionOutcome, judge

FAILED = TransactionFailedError("no")


def said(level: Level, slot: int = 5, error: TransactionFailedError | None = None) -> Opinion:
    return Opinion(Status(slot, level, error))


FINAL, CONFIRMED, UNKNOWN, EXPIRED = said("finalized"), said("confirmed"), Opinion(None), Opinion(None, expired=True)


def of(*opinions: Opinion | None) -> TransactionOutcome:
    names = "abc"
    return judge(dict(zip(names, opinions, strict=False)), quorum=len(opinions) // 2 + 1)


@pytest.mark.parametrize(
    ("opinions", "level"),
    [
        ((FINAL,), "finalized"),
        ((FINAL, FINAL), "finalized"),
        ((FINAL, FINAL, EXPIRED), "finalized"),
        ((FINAL, None, FINAL), "finalized"),
        ((FINAL, None), "confirmed"),
        ((FINAL, CONFIRMED), "confirmed"),
        ((FINAL, UNKNOWN), "confirmed"),
        ((FINAL, EXPIRED), "confirmed"),
        ((FINAL, said("finalized", slot=6)), "confirmed"),
        ((FINAL, said("finalized", error=FAILED)), "confirmed"),
        ((said("processed"), UNKNOWN), "processed"),
        ((UNKNOWN, CONFIRMED), "confirmed"),
        ((UNKNOWN, UNKNOWN), None),
    ],
)
def test_final_is_what_a_quorum_says_of_one_slot_and_outcome(opinions: tuple[Opinion, ...], level: str | None) -> None:
    status = of(*opinions).status
    assert (status and status.level) == level


@pytest.mark.parametrize(
    ("opinions", "expired"),
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
def test_expired_is_what_a_quorum_says(opinions: tuple[Opinion, ...], *, expired: bool) -> None:
    outcome = of(*opinions)
    assert outcome.expired is expired
    assert outcome.status is None or not expired


def test_a_dispute_is_a_final_word_without_a_quorum_and_is_told_in_words() -> None:
    assert not of(FINAL, FINAL, EXPIRED).disputed and not of(CONFIRMED, UNKNOWN).disputed
    outcome = of(FINAL, UNKNOWN, None)
    assert outcome.disputed and not outcome.known
    assert outcome.told == "a says finalized in slot 5; b does not know it; c does not answer"
    assert "says finalized in slot 5 with no" in of(said("finalized", error=FAILED)).told
