"""Whether the chain already holds what a step does, compared field by field with what we committed to.

Answers after a restart, after an expired blockhash, and when a program says that something was done before.
"""

from typing import Any

from solana.rpc.commitment import Finalized

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.errors import ChainUnreachableError
from hub.chain.quorum import disagreement, majority
from hub.clock import Clock, rfc3339_s, to_s
from hub.errors import PermanentError, RetryableError
from hub.settlement.instructions import IntervalRows
from hub.settlement.steps.repository import StepRow

OPEN, CLOSED, ABORTED, EMPTY, RETURNING = 1, 2, 3, 4, 5
"""`status` of an IntervalSettlement, as programs/trading/src/state/settlement.rs numbers them."""

STATUSES = {
    OPEN: "open",
    CLOSED: "closed",
    ABORTED: "aborted",
    EMPTY: "closed without lines",
    RETURNING: "being returned",
}

OPEN_WINDOW_S = 12 * 3600
"""So long after its end an interval can be opened (same file); later anybody may close it without lines."""

ABORT_AFTER_S = 24 * 3600
"""So long after an interval's end anybody may abort its settlement (same file); earlier only the settler's key can."""


CLOCKS_APART_S = 60
"""So far our clock and the chain's may differ: what looks so little too early may be right by the other."""


class TooLateError(RetryableError):
    """The interval can not be opened any more: its trades become utility energy, and it closes with zero lines."""

    code = "too_late"


class AbortedError(RetryableError):
    """The settling was ended before its close: the lines go back, and the trades become utility energy."""

    code = "settlement_aborted"

    def __init__(self, start_s: int, found: Any) -> None:
        super().__init__(f"The settlement of interval {rfc3339_s(start_s)} was aborted before its close")
        self.found = found


class ConflictError(PermanentError):
    """The chain holds something else for this interval than we committed to; a person has to look."""

    code = "settlement_conflict"


def is_late(rows: IntervalRows, clock: Clock) -> bool:
    """Whether by our clock too, a minute off at most, the window is over: no node releases trades by its word alone."""
    return clock.now_ms() // 1000 > to_s(rows.facts["end_at"]) + OPEN_WINDOW_S - CLOCKS_APART_S


async def is_done(chain: ChainClient, step: StepRow, rows: IntervalRows) -> bool:
    """True when the step's effect is final on the chain with equal contents, by a quorum of the nodes.

    While they differ, or too few answer, it is not: to send what was done is harmless, to believe what was not is not.

    Raises:
        ChainUnreachableError: no node answers.
        NodesDisagreeError: no node says that it is still to be done, and they do not agree on anything else.
        ConflictError: it is there with other contents.
        AbortedError: the settlement was aborted, and lines may still have to be returned.
        TooLateError: somebody closed the interval without lines, as anybody may once it is too late to open.
    """
    answers = await chain.everywhere(lambda view: _is_done(view, step, rows))
    found = majority(answers, chain.quorum)
    if found is not None:
        return found
    if False in answers:
        return False
    given = [one for one in answers if not isinstance(one, ChainUnreachableError)]
    if len(given) < chain.quorum:
        raise next(one for one in answers if isinstance(one, ChainUnreachableError))
    raise disagreement(chain, f"the {step.kind} of interval {rfc3339_s(step.start_s)}", answers)


async def _is_done(chain: ChainClient, step: StepRow, rows: IntervalRows) -> bool:
    """The same by one node."""
    if step.kind == "attest":
        return _equal(step, differences_attested(await attested(chain, step.start_s), rows))
    if step.kind == "mint":
        return _equal(step, differences_minted(await minted(chain, step.start_s), rows))
    found = await settlement(chain, step.start_s)
    if found is None:
        return False
    if found.status in (RETURNING, ABORTED):
        return _is_released(found, rows)
    end_s = to_s(rows.facts["end_at"])
    if rows.facts["line_count"] and found.status == EMPTY and found.closed_at_s > end_s + OPEN_WINDOW_S:
        raise TooLateError(f"Interval {rfc3339_s(step.start_s)} was closed without lines, too late to be opened")
    if step.kind == "settle":
        done = bool(found.cursor >= (step.end_line or 0)) or found.status == CLOSED
        return _equal(step, differences_settled(found, rows)) and done
    if step.kind == "close" and found.status not in (CLOSED, EMPTY):
        return False
    return _equal(step, differences_settled(found, rows))


def _is_released(found: Any, rows: IntervalRows) -> bool:
    """What was committed to and aborted says nothing of an interval whose trades are released: it is closed."""
    if found.status == ABORTED and not rows.facts["line_count"]:
        return True
    raise AbortedError(rows.start_s, found)


def _equal(step: StepRow, differences: list[str] | None) -> bool:
    if differences:
        raise ConflictError(
            f"The chain's {step.kind} of interval {step.start_s} is not ours ({'; '.join(differences)}): nothing more "
            f"is sent for this interval until somebody has looked, see `peerwatt-hub reconcile`"
        )
    return differences is not None


async def attested(chain: ChainClient, start_s: int) -> Any:
    """The oracle's revision 1, final, or None."""
    return await chain.account("oracle", "Interval", pdas.interval(start_s), commitment=Finalized)


async def minted(chain: ChainClient, start_s: int) -> Any:
    """What was minted for the interval, final, or None."""
    return await chain.account("energy_token", "MintedInterval", pdas.minted_interval(start_s), commitment=Finalized)


async def settlement(chain: ChainClient, start_s: int) -> Any:
    """The interval's settlement, final, or None."""
    return await chain.account("trading", "IntervalSettlement", pdas.settlement(start_s), commitment=Finalized)


def differences_attested(found: Any, rows: IntervalRows) -> list[str] | None:
    """How the attestation differs from ours; None when there is none."""
    names = ("merkle_root", "meters_valid", "meters_estimated", "import_wh", "export_wh")
    return None if found is None else _compare(found, {name: rows.facts[name] for name in names})


def differences_minted(found: Any, rows: IntervalRows) -> list[str] | None:
    """How the minted energy differs from the attested export; None when nothing was minted yet."""
    return None if found is None else _compare(found, {"wh": rows.facts["minted_wh"]})


def differences_settled(found: Any, rows: IntervalRows) -> list[str] | None:
    """How the settlement's commitment differs from ours; None when there is none."""
    if found is None:
        return None
    facts = rows.facts
    names = ("line_count", "sold_wh", "bought_wh", "credit_micros", "debit_micros")
    expected = {name: facts[name] for name in names}
    if facts["line_count"]:
        expected |= {name: facts[name] for name in ("lines_root", "clearing_price_mills", "journal_hash")}
    return _compare(found, expected)


def _compare(found: Any, expected: dict[str, Any]) -> list[str]:
    differences = []
    for name, ours in expected.items():
        theirs = getattr(found, name)
        if isinstance(ours, bytes):
            theirs = bytes(theirs)
        if theirs != ours:
            shown = (theirs.hex(), ours.hex()) if isinstance(ours, bytes) else (theirs, ours)
            differences.append(f"{name} is {shown[0]} on the chain and {shown[1]} here")
    return differences
