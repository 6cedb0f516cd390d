"""Ends a settlement that can not close: aborts it, as anybody may, and returns its settled lines.

The submitter calls it when a step is refused for good, or when somebody else has aborted the settlement.
"""

from typing import Any

import structlog
from solders.keypair import Keypair

from hub.chain.client import ChainClient
from hub.chain.errors import ProgramError
from hub.chain.quorum import ask_quorum
from hub.chain.unwind import unwind
from hub.clock import Clock, rfc3339_s, to_s
from hub.errors import RetryableError
from hub.settlement import onchain
from hub.settlement.instructions import chain_lines
from hub.settlement.lines import line_leaf, line_of
from hub.settlement.repository import IntervalRows

log = structlog.get_logger()

TRANSIENT_REFUSALS = frozenset({"AlreadySettled", "NotOpen", "CreditOpen", "TooManyCrediting"})
"""Refusals that end by themselves: an effect is not final yet, or another settlement has to close first."""

EARLY = (
    "only the settler's key can abort so early, and this hub does not: if none of you did it by hand, the key is in "
    "other hands, so stop the hub and replace it"
)


class ReturnRefusedError(RetryableError):
    """A program refused to return lines; try again after a pause, from what the chain then holds."""

    code = "return_refused"


async def is_due(chain: ChainClient, rows: IntervalRows, refusal: str, clock: Clock) -> bool:
    """Returns True when the hub's settlement is open, its step was refused for good, and anybody may abort it.

    ``refusal`` is the name of the program's error.
    """
    late = clock.now_ms() // 1000 >= to_s(rows.interval["end_at"]) + onchain.ABORT_AFTER_S
    if refusal in TRANSIENT_REFUSALS or not late:
        return False
    settlement = await onchain.read_settlement(chain, rows.start_s)
    if settlement is None or settlement.status != onchain.OPEN:
        return False
    return not onchain.commitment_differences(settlement, rows)


async def abort_and_return(chain: ChainClient, payer: Keypair, rows: IntervalRows, price_micro_lamports: int) -> None:
    """Aborts the settlement if it is open, as anybody and not as the settler; returns its lines and closes it.

    Raises:
        ConflictError: the chain settled other lines than the hub's.
        ReturnRefusedError: a program refused, or not every line is returned yet.
        ChainUnreachableError: too few nodes answer.
    """
    if await _is_returned(chain, rows.start_s):
        return
    settlement = await onchain.read_settlement(chain, rows.start_s)
    if settlement is not None and settlement.cursor > len(rows.lines):
        raise _foreign_lines(rows)
    leaves = [line_leaf(rows.start_s, index, line_of(row)) for index, row in enumerate(rows.lines)]
    try:
        await unwind(
            chain, payer, payer, rows.start_s, chain_lines(rows), leaves, price_micro_lamports=price_micro_lamports
        )
    except ProgramError as error:
        if error.name == "NotSettledLines":
            raise _foreign_lines(rows) from error
        raise ReturnRefusedError(f"returning interval {rfc3339_s(rows.start_s)}: {error}") from error
    if not await _is_returned(chain, rows.start_s):
        raise ReturnRefusedError(f"Interval {rfc3339_s(rows.start_s)} is not returned yet")


async def _is_returned(chain: ChainClient, start_s: int) -> bool:
    """Asks a quorum of the nodes, as the trades are released for good after it."""

    async def returned(view: ChainClient) -> bool:
        settlement = await onchain.read_settlement(view, start_s)
        return settlement is not None and settlement.status == onchain.ABORTED

    return await ask_quorum(chain, returned, f"the return of interval {rfc3339_s(start_s)}")


def _foreign_lines(rows: IntervalRows) -> onchain.ConflictError:
    return onchain.ConflictError(
        f"The settlement of interval {rfc3339_s(rows.start_s)} is aborted, and the lines that the chain has settled "
        f"are not ours: only who has those lines can return them"
    )


def alarm_if_by_settler(settlement: Any, rows: IntervalRows, clock: Clock) -> None:
    """Logs as critical when only the settler's key can have aborted the settlement: this hub never uses it for that."""
    seen_s = settlement.closed_at_s or clock.now_ms() // 1000 + onchain.CLOCKS_APART_S
    if aborted_by_settler(seen_s, to_s(rows.interval["end_at"])):
        reason = f"{describe_aborted(settlement)}; {EARLY}"
        log.critical("needs a person", start_at=rfc3339_s(rows.start_s), code="aborted_by_settler", reason=reason)


def aborted_by_settler(seen_s: int, end_s: int) -> bool:
    """Whether a settlement that was seen aborted at that time can only have been aborted with the settler's key."""
    return seen_s < end_s + onchain.ABORT_AFTER_S


def describe_aborted(settlement: Any) -> str:
    """Returns in words what happened to an aborted settlement."""
    if not settlement.closed_at_s:
        return f"its settlement was aborted, and its {settlement.cursor} settled lines go back"
    return (
        f"its settlement was aborted, its {settlement.cursor} settled lines had gone back at "
        f"{rfc3339_s(settlement.closed_at_s)}, and its trades are utility energy"
    )
