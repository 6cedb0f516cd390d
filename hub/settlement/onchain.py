"""Finds out whether the chain already holds what a step does, compared field by field with the hub's rows.

This is asked after a restart, after a blockhash has expired, and when a program refuses to do something twice.
"""

from collections.abc import Mapping
from typing import Any

from solana.rpc.commitment import Finalized

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.errors import ChainUnreachableError
from hub.chain.quorum import disagreement_error, quorum_answer
from hub.clock import Clock, rfc3339_s, to_s
from hub.errors import PermanentError, RetryableError
from hub.postgres.db import Record
from hub.settlement.repository import IntervalRows
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
"""For this long after its end an interval can be opened (same file); later anybody may close it without lines."""

ABORT_AFTER_S = 24 * 3600
"""From this long after an interval's end anybody may abort its settlement (same file); earlier only the settler can."""

MINTABLE_S = 7 * 86_400
"""What is attested later than this after an interval's end mints nothing (energy_token's minted_interval.rs)."""

CLOCKS_APART_S = 60
"""The most that this machine's clock and the chain's may differ."""


class TooLateError(RetryableError):
    """The interval can not be opened any more: its trades become utility energy, and it closes without lines."""

    code = "too_late"


class AbortedError(RetryableError):
    """The settlement was aborted before its close: its lines are returned, and the trades become utility energy."""

    code = "settlement_aborted"

    def __init__(self, start_s: int, settlement: Any) -> None:
        super().__init__(f"The settlement of interval {rfc3339_s(start_s)} was aborted before its close")
        self.settlement = settlement
        """The decoded IntervalSettlement."""


class ConflictError(PermanentError):
    """The chain holds something else for this interval than the hub's rows; a person has to look."""

    code = "settlement_conflict"


def is_too_late_to_open(rows: IntervalRows, clock: Clock) -> bool:
    """Whether the window to open the interval is over by this machine's clock too, give or take ``CLOCKS_APART_S``.

    The word of one node alone must not release an interval's trades.
    """
    return clock.now_ms() // 1000 > to_s(rows.interval["end_at"]) + OPEN_WINDOW_S - CLOCKS_APART_S


async def is_done(chain: ChainClient, step: StepRow, rows: IntervalRows) -> bool:
    """Returns True when by a quorum of the nodes the step's effect is final on the chain, with equal contents.

    It is False when the nodes differ or too few answer: sending a step twice is harmless, skipping one is not.

    Raises:
        ChainUnreachableError: too few nodes answer, and none says that the step is not done.
        NodesDisagreeError: the nodes do not agree, and none says that the step is not done.
        ConflictError: the effect is there with other contents.
        AbortedError: the settlement was aborted, and lines may still have to be returned.
        TooLateError: somebody closed the interval without lines, as anybody may when it is too late to open.
    """
    answers = await chain.ask_each_node(lambda view: _is_done_by_node(view, step, rows))
    answer = quorum_answer(answers, chain.quorum)
    if answer is not None:
        return answer
    if False in answers:
        return False
    unreachable = [error for error in answers if isinstance(error, ChainUnreachableError)]
    if len(answers) - len(unreachable) < chain.quorum:
        raise unreachable[0]
    raise disagreement_error(chain, f"the {step.kind} of interval {rfc3339_s(step.start_s)}", answers)


async def _is_done_by_node(chain: ChainClient, step: StepRow, rows: IntervalRows) -> bool:
    if step.kind == "attest":
        return _check_equal(step, attestation_differences(await read_attestation(chain, step.start_s), rows.interval))
    if step.kind == "mint":
        minted = await read_minted_interval(chain, step.start_s)
        attestation = None if minted is None else await read_attestation(chain, step.start_s)
        return _check_equal(step, mint_differences(minted, attestation, rows))
    settlement = await read_settlement(chain, step.start_s)
    if settlement is None:
        return False
    if settlement.status in (RETURNING, ABORTED):
        return _is_released(settlement, rows)
    end_s = to_s(rows.interval["end_at"])
    if rows.interval["line_count"] and settlement.status == EMPTY and settlement.closed_at_s > end_s + OPEN_WINDOW_S:
        raise TooLateError(f"Interval {rfc3339_s(step.start_s)} was closed without lines, too late to be opened")
    if step.kind == "settle":
        done = bool(settlement.cursor >= (step.end_line or 0)) or settlement.status == CLOSED
        return _check_equal(step, commitment_differences(settlement, rows)) and done
    if step.kind == "close" and settlement.status not in (CLOSED, EMPTY):
        return False
    return _check_equal(step, commitment_differences(settlement, rows))


def _is_released(settlement: Any, rows: IntervalRows) -> bool:
    """Returns True for an aborted settlement of an interval whose trades are released: it counts as closed."""
    if settlement.status == ABORTED and not rows.interval["line_count"]:
        return True
    raise AbortedError(rows.start_s, settlement)


def _check_equal(step: StepRow, differences: list[str] | None) -> bool:
    """Returns False when the chain holds nothing (None)."""
    if differences:
        raise ConflictError(
            f"The chain's {step.kind} of interval {step.start_s} is not ours ({'; '.join(differences)}): nothing more "
            f"is sent for this interval until somebody has looked, see `peerwatt-hub reconcile`"
        )
    return differences is not None


async def read_attestation(chain: ChainClient, start_s: int, revision: int = 1) -> Any:
    """Returns the oracle program's interval of a revision, decoded and final, or None."""
    return await chain.account("oracle", "Interval", pdas.interval(start_s, revision), commitment=Finalized)


async def read_minted_interval(chain: ChainClient, start_s: int) -> Any:
    """Returns the energy token's account of what was minted for the interval, decoded and final, or None."""
    return await chain.account("energy_token", "MintedInterval", pdas.minted_interval(start_s), commitment=Finalized)


async def read_settlement(chain: ChainClient, start_s: int) -> Any:
    """Returns the trading program's IntervalSettlement, decoded and final, or None."""
    return await chain.account("trading", "IntervalSettlement", pdas.settlement(start_s), commitment=Finalized)


def attestation_differences(attestation: Any, ours: Mapping[str, Any] | Record) -> list[str] | None:
    """Returns how the chain's attestation differs from ours; None when there is none."""
    names = ("merkle_root", "meters_valid", "meters_estimated", "import_wh", "export_wh")
    return None if attestation is None else differences_of(attestation, {name: ours[name] for name in names})


def mint_differences(minted: Any, attestation: Any, rows: IntervalRows) -> list[str] | None:
    """Returns how the minted energy differs from the export that was attested in time; None when none was minted yet.

    When that was, the chain's clock decides: ``attestation`` is its revision 1, or None when a node has none.
    """
    if minted is None:
        return None
    late = attestation is not None and attestation.attested_at_s > to_s(rows.interval["end_at"]) + MINTABLE_S
    return differences_of(minted, {"wh": 0 if late else rows.interval["minted_wh"]})


def commitment_differences(settlement: Any, rows: IntervalRows) -> list[str] | None:
    """Returns how the commitment of the chain's settlement differs from the rows; None when there is none."""
    if settlement is None:
        return None
    interval = rows.interval
    names = ("line_count", "sold_wh", "bought_wh", "credit_micros", "debit_micros")
    expected = {name: interval[name] for name in names}
    if interval["line_count"]:
        expected |= {name: interval[name] for name in ("lines_root", "clearing_price_mills", "journal_hash")}
    return differences_of(settlement, expected)


def differences_of(account: Any, expected: dict[str, Any]) -> list[str]:
    """Returns in words which fields of a decoded account are not as expected."""
    differences = []
    for name, ours in expected.items():
        theirs = getattr(account, name)
        if isinstance(ours, bytes):
            theirs = bytes(theirs)
        if theirs != ours:
            texts = (theirs.hex(), ours.hex()) if isinstance(ours, bytes) else (theirs, ours)
            differences.append(f"{name} is {texts[0]} on the chain and {texts[1]} here")
    return differences
