"""Combines the nodes' reports on a sent transaction into one outcome, by quorum. Pure.

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
    """How far a sent transaction has come; ``error`` is None when it succeeded."""

    slot: int
    level: Level
    error: HubError | None

    def reached(self, level: Level) -> bool:
        """Whether the transaction is at this level or further."""
        return _RANKS[self.level] >= _RANKS[level]


@dataclass(frozen=True)
class SentTransaction:
    """A transaction that may be under way, and the last block height at which it can land."""

    signature: Signature
    last_valid_height: int


@dataclass(frozen=True)
class NodeReport:
    """One node's report on one transaction."""

    status: Status | None
    """None when the node does not know the transaction."""
    expired: bool = False
    """Its final blocks are past the last valid height, and a status not older than those does not know it."""

    def __str__(self) -> str:
        if self.status is None:
            return "says that it expired" if self.expired else "does not know it"
        outcome = "" if self.status.error is None else f" with {self.status.error}"
        return f"says {self.status.level} in slot {self.status.slot}{outcome}"


@dataclass(frozen=True)
class TransactionOutcome:
    """What became of one transaction, by the reports of all nodes."""

    status: Status | None
    """The furthest status that any node reports; `finalized` only by a quorum."""
    expired: bool
    """By a quorum: it is in no final block and can never be in one, so that signing anew is safe."""
    known: bool
    """Whether every node that answered knows it."""
    disputed: bool
    """Whether a node reports it as final and no quorum does; this is rare and does not last."""
    details: str
    """Each node's report in words."""


def combine_reports(reports: Mapping[str, NodeReport | None], quorum: int) -> TransactionOutcome:
    """Returns the outcome by the reports of the nodes of these names; None where the node did not answer."""
    answered = [report for report in reports.values() if report is not None]
    statuses = [report.status for report in answered if report.status is not None]
    final = [status for status in statuses if status.level == "finalized"]
    expired = sum(report.expired for report in answered) >= quorum
    agreed = _agreed(final, quorum)
    best = agreed or max(statuses, key=lambda status: _RANKS[status.level], default=None)
    if best is not None and agreed is None and best.level == "finalized":
        best = Status(best.slot, "confirmed", best.error)
    return TransactionOutcome(
        status=None if expired and agreed is None else best,
        expired=expired and agreed is None,
        known=len(statuses) == len(answered),
        disputed=bool(final) and agreed is None,
        details="; ".join(f"{name} {report or 'does not answer'}" for name, report in reports.items()),
    )


def _agreed(final: Sequence[Status], quorum: int) -> Status | None:
    """Returns the final status in which a quorum reports the same slot and the same outcome."""
    votes = Counter((status.slot, str(status.error)) for status in final)
    agreed = next((vote for vote, count in votes.items() if count >= quorum), None)
    return next((status for status in final if (status.slot, str(status.error)) == agreed), None)
