"""What became of a sent transaction: what each node says, and what a quorum of them makes of it. Pure.

``client`` asks the nodes; the settlement acts on a TransactionOutcome only.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from solders.signature import Signature

from hub.errors import HubError

Level = Literal["processed", "confirmed", "finalized"]
_RANKS = {"processed": 0, "confirmed": 1, "finalized": 2}


@dataclass(frozen=True)
class Status:
    """Where a sent transaction stands; error is None when it succeeded."""

    slot: int
    level: Level
    error: HubError | None

    def reached(self, level: Level) -> bool:
        return _RANKS[self.level] >= _RANKS[level]


@dataclass(frozen=True)
class Sent:
    """A transaction that may be on its way, and the last block height at which it can land."""

    signature: Signature
    last_valid_height: int


@dataclass(frozen=True)
class Opinion:
    """What one node says of one transaction.

    ``expired``: its final blocks are past the last valid height, and its status cache, not older than those, does not
    know the transaction.
    """

    status: Status | None
    expired: bool = False

    def __str__(self) -> str:
        if self.status is None:
            return "says that it expired" if self.expired else "does not know it"
        outcome = "" if self.status.error is None else f" with {self.status.error}"
        return f"says {self.status.level} in slot {self.status.slot}{outcome}"


@dataclass(frozen=True)
class TransactionOutcome:
    """What all nodes together say of one transaction."""

    status: Status | None
    """The furthest that any node has seen it; `finalized` only by a quorum."""
    expired: bool
    """By a quorum: it is on no final block and can never be, so that signing anew is safe."""
    known: bool
    """Whether every node that answered knows it."""
    disputed: bool
    """Whether a node says that it is final, and no quorum does: seldom, and not for long."""
    told: str
    """What each node says, in words."""


def judge(opinions: Mapping[str, Opinion | None], quorum: int) -> TransactionOutcome:
    """The outcome by these nodes' opinions; None = the node did not answer."""
    answered = [one for one in opinions.values() if one is not None]
    statuses = [one.status for one in answered if one.status is not None]
    final = [status for status in statuses if status.level == "finalized"]
    expired = sum(one.expired for one in answered) >= quorum
    agreed = _agreed(final, quorum)
    best = agreed or max(statuses, key=lambda one: _RANKS[one.level], default=None)
    if best is not None and agreed is None and best.level == "finalized":
        best = Status(best.slot, "confirmed", best.error)
    return TransactionOutcome(
        status=None if expired and agreed is None else best,
        expired=expired and agreed is None,
        known=len(statuses) == len(answered),
        disputed=bool(final) and agreed is None,
        told="; ".join(f"{name} {'does not answer' if one is None else one}" for name, one in opinions.items()),
    )


def _agreed(final: Sequence[Status], quorum: int) -> Status | None:
    """The final status that a quorum gives with one slot and one outcome."""
    votes = Counter((status.slot, str(status.error)) for status in final)
    winner = next((key for key, count in votes.items() if count >= quorum), None)
    return next((status for status in final if (status.slot, str(status.error)) == winner), None)
