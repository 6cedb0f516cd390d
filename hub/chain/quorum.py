"""What a quorum of the chain's nodes says, each asked by itself: for whatever closes, reconciles or ends an interval.

One node may lag or lie; what it alone says is no reason to believe that something is final.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from hub.chain.client import ChainClient
from hub.chain.errors import ChainUnreachableError, NodesDisagreeError
from hub.errors import HubError
from hub.observability import metrics

log = structlog.get_logger()

T = TypeVar("T")

TRIES, PAUSE_S = 10, 0.3
"""Nodes see final blocks at different moments; three seconds are some seven blocks."""


async def agreed(chain: ChainClient, ask: Callable[[ChainClient], Awaitable[T]], what: str) -> T:
    """What ``ask`` gives by a quorum of the nodes; an error on which they agree is raised.

    Raises:
        NodesDisagreeError: they did not agree within a few tries; ``what`` names it.
        ChainUnreachableError: too few nodes answer.
    """
    if chain.quorum == 1:
        return await ask(chain.views[0])
    answers: list[T | HubError] = []
    for left in reversed(range(TRIES)):
        answers = await chain.everywhere(ask)
        found = majority(answers, chain.quorum)
        if found is not None:
            return found
        if sum(not isinstance(one, ChainUnreachableError) for one in answers) < chain.quorum:
            raise _too_few(answers)
        if left:
            await asyncio.sleep(PAUSE_S)
    raise disagreement(chain, what, answers)


def majority(answers: Sequence[T | HubError], quorum: int) -> T | None:
    """The answer that a quorum gives, or None.

    Raises:
        HubError: a quorum gives this error; never one that says that a node did not answer.
    """
    given = [one for one in answers if not isinstance(one, ChainUnreachableError)]
    for one in given:
        if sum(_same(one, other) for other in given) >= quorum:
            if isinstance(one, HubError):
                raise one
            return one
    return None


def disagreement(chain: ChainClient, what: str, answers: Sequence[object]) -> NodesDisagreeError:
    """The error for it, said and counted."""
    told = "; ".join(f"{node.name}: {one}" for node, one in zip(chain.nodes, answers, strict=True))
    return nodes_disagree("contents", what, told)


def nodes_disagree(about: str, what: str, told: str) -> NodesDisagreeError:
    """The error for an operator's eyes, said and counted. ``about``: finality, contents."""
    metrics.NODES_DISAGREE.labels(about).inc()
    log.warning("RPC nodes disagree", about=about, what=what, told=told)
    return NodesDisagreeError(
        f"The RPC nodes disagree on {what} ({told}): one lags or lies, see `peerwatt-hub doctor`; nothing is closed "
        "until a quorum agrees"
    )


def _too_few(answers: Sequence[object]) -> ChainUnreachableError:
    away = [str(one) for one in answers if isinstance(one, ChainUnreachableError)]
    return ChainUnreachableError(f"Too few RPC nodes answer to be sure of anything final: {'; '.join(away)}")


def _same(one: object, other: object) -> bool:
    if isinstance(one, HubError):
        return type(one) is type(other) and str(one) == str(other)
    return one == other
