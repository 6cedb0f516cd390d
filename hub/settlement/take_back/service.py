"""Takes attested intervals back, from a time on, while nothing of them is on the chain or on its way there.

It ends the leases of the rounds that write about intervals (``hub.postgres.lease.take_over``), and everything is one
transaction: a kill leaves all or nothing, and no round writes or sends meanwhile. Afterwards the oracle attests the
intervals anew.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from solana.rpc.commitment import Confirmed

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.clock import Clock, rfc3339_s
from hub.errors import HubError, PermanentError, RetryableError
from hub.postgres.db import LockTimeoutError, Pool
from hub.postgres.lease import take_over
from hub.settlement.take_back import repository

LEASES = ("corrections", "market", "oracle", "settlement")
"""The rounds that write about intervals before they are closed."""
MAX_INTERVALS = 5000
LOCK_WAIT_S = 30
"""A round's transaction takes less."""

ChainHolds = Callable[[Sequence[int]], Awaitable[list[int]]]
"""Returns those of the intervals, by their starts in s since 1970, of which the chain holds anything."""


class AlreadySentError(PermanentError):
    """Something of the intervals is on the chain, or on its way there."""

    code = "already_sent"


class TooManyIntervalsError(PermanentError):
    """More intervals than are taken back at once."""

    code = "too_many_intervals"


class RoundsBusyError(RetryableError):
    """A round of the worker holds its rows for longer than it is waited for."""

    code = "rounds_busy"


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The starts, in s since 1970, of the intervals that were taken back, and the record's number; None for none."""

    starts: tuple[int, ...]
    record: int | None


@dataclass(frozen=True, slots=True)
class Why:
    """Who takes intervals back, and why."""

    taken_by: str
    reason: str


async def take_back(pool: Pool, clock: Clock, chain_holds: ChainHolds, since_s: int, why: Why) -> TakenBack:
    """Takes back every interval that starts at ``since_s`` or later, in s since 1970; nothing to take back is fine.

    Raises:
        AlreadySentError: something of one of them is on the chain or on its way there; nothing was taken back.
        TooManyIntervalsError: they are more than ``MAX_INTERVALS``.
        RoundsBusyError: a round did not end within ``LOCK_WAIT_S``.
        ChainUnreachableError: the chain does not answer.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'")
        try:
            await take_over(connection, LEASES, f"taken back by {why.taken_by}")
            starts = await repository.lock_intervals(connection, since_s, MAX_INTERVALS + 1)
        except LockTimeoutError as error:
            raise RoundsBusyError("A round of the worker is still busy: try again, nothing was taken back") from error
        if not starts:
            return TakenBack((), None)
        if len(starts) > MAX_INTERVALS:
            raise TooManyIntervalsError(
                f"There are more than {MAX_INTERVALS} intervals from {rfc3339_s(since_s)} on: take back the later ones "
                "first"
            )
        sent = {*await repository.sent(connection, starts), *await chain_holds(starts)}
        if sent:
            raise AlreadySentError(_already_sent(starts, sent))
        number = await repository.record(connection, since_s, starts, why.taken_by, why.reason, clock.now_ms())
        await repository.delete(connection, starts)
    return TakenBack(tuple(starts), number)


def _already_sent(starts: Sequence[int], sent: set[int]) -> str:
    later = [start_s for start_s in starts if start_s > max(sent)]
    hint = (
        f"from {rfc3339_s(later[0])} on nothing is sent yet, and intervals can be taken back"
        if later
        else "what is attested wrongly is corrected by its next revision"
    )
    return (
        f"{len(sent)} of {len(starts)} intervals have something on the chain or on its way there, the last of them "
        f"that of {rfc3339_s(max(sent))}: nothing was taken back; {hint}"
    )


async def held_by_chain(chain: ChainClient, starts: Sequence[int]) -> list[int]:
    """Returns those of the intervals for which any node has an attestation, which is the first step of each.

    Raises:
        ChainUnreachableError: no node answers.
    """
    addresses = [pdas.interval(start_s) for start_s in starts]
    answers = await chain.ask_each_node(lambda view: view.raw_accounts(addresses, commitment=Confirmed))
    heard = [answer for answer in answers if not isinstance(answer, HubError)]
    if not heard:
        raise next(answer for answer in answers if isinstance(answer, HubError))
    return [start_s for n, start_s in enumerate(starts) if any(accounts[n] is not None for accounts in heard)]
