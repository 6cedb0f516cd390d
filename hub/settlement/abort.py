"""What the hub does with a settlement that can not close: ends it as anybody may, and brings everybody's lines back.

The submitter comes here when a step is refused for good or the chain says that somebody else has ended the settling.
"""

from typing import Any

import structlog
from solders.keypair import Keypair

from hub.chain.client import ChainClient
from hub.chain.errors import ProgramError
from hub.chain.quorum import agreed
from hub.chain.unwind import unwind
from hub.clock import Clock, rfc3339_s, to_s
from hub.errors import RetryableError
from hub.settlement import onchain
from hub.settlement.instructions import IntervalRows, chain_lines
from hub.settlement.lines import line_leaf, line_of

log = structlog.get_logger()

PASSING = frozenset({"AlreadySettled", "NotOpen", "CreditOpen", "TooManyCrediting"})
"""Refusals that end by themselves: what was done is not final yet, or another settlement closes first."""

EARLY = (
    "only the settler's key can abort so early, and this hub does not: if none of you did it by hand, the key is in "
    "other hands, so stop the hub and replace it"
)


class ReturnRefusedError(RetryableError):
    """A program refused a part of the return; tried again with a pause, from what the chain then holds."""

    code = "return_refused"


async def is_due(chain: ChainClient, rows: IntervalRows, refusal: str, clock: Clock) -> bool:
    """True when our settlement is open, its next step was refused for good, and anybody may abort it."""
    late = clock.now_ms() // 1000 >= to_s(rows.facts["end_at"]) + onchain.ABORT_AFTER_S
    if refusal in PASSING or not late:
        return False
    found = await onchain.settlement(chain, rows.start_s)
    return found is not None and found.status == onchain.OPEN and not onchain.differences_settled(found, rows)


async def give_all_back(chain: ChainClient, payer: Keypair, rows: IntervalRows, price_micro_lamports: int) -> None:
    """Aborts the settlement if it is open, as anybody and not as the settler; returns its lines and closes it.

    Raises:
        ConflictError: other lines than ours were settled.
        ReturnRefusedError: a program refused, or the settlement is not over.
    """
    if await _is_returned(chain, rows.start_s):
        return
    found = await onchain.settlement(chain, rows.start_s)
    if found is not None and found.cursor > len(rows.lines):
        raise _foreign(rows)
    leaves = [line_leaf(rows.start_s, index, line_of(row)) for index, row in enumerate(rows.lines)]
    try:
        await unwind(
            chain, payer, payer, rows.start_s, chain_lines(rows), leaves, price_micro_lamports=price_micro_lamports
        )
    except ProgramError as error:
        if error.name == "NotSettledLines":
            raise _foreign(rows) from error
        raise ReturnRefusedError(f"returning interval {rfc3339_s(rows.start_s)}: {error}") from error
    if not await _is_returned(chain, rows.start_s):
        raise ReturnRefusedError(f"Interval {rfc3339_s(rows.start_s)} is not returned yet")


async def _is_returned(chain: ChainClient, start_s: int) -> bool:
    """By a quorum of the nodes: trades are released for good after it."""

    async def returned(view: ChainClient) -> bool:
        found = await onchain.settlement(view, start_s)
        return found is not None and found.status == onchain.ABORTED

    return await agreed(chain, returned, f"the return of interval {rfc3339_s(start_s)}")


def _foreign(rows: IntervalRows) -> onchain.ConflictError:
    return onchain.ConflictError(
        f"The settlement of interval {rfc3339_s(rows.start_s)} is aborted, and the lines that the chain has settled "
        f"are not ours: only who has those lines can return them"
    )


def alarm(found: Any, rows: IntervalRows, clock: Clock) -> None:
    """Says loudly when only the settler's key can have ended the settling: this hub never uses it for that."""
    seen_s = found.closed_at_s or clock.now_ms() // 1000 + onchain.CLOCKS_APART_S
    if by_settler(seen_s, to_s(rows.facts["end_at"])):
        reason = f"{told(found)}; {EARLY}"
        log.critical("needs a person", start_at=rfc3339_s(rows.start_s), code="aborted_by_settler", reason=reason)


def by_settler(seen_s: int, end_s: int) -> bool:
    """True when a settlement that was seen aborted at that time can only have been aborted with the settler's key."""
    return seen_s < end_s + onchain.ABORT_AFTER_S


def told(found: Any) -> str:
    """What happened to an aborted settlement, in words."""
    if not found.closed_at_s:
        return f"its settlement was aborted, and its {found.cursor} settled lines go back"
    return (
        f"its settlement was aborted, its {found.cursor} settled lines had gone back at "
        f"{rfc3339_s(found.closed_at_s)}, and its trades are utility energy"
    )
