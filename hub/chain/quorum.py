"""Asks each of the chain's nodes and returns what a quorum answers; whatever closes or reconciles an interval needs it.

One node may lag or lie: its word alone does not make anything final.
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
"""Nodes see final blocks at different moments; the three seconds in all are about seven blocks."""


async def ask_quorum(chain: ChainClient, request: Callable[[ChainClient], Awaitable[T]], subject: str) -> T:
    """Returns the answer to ``request`` that a quorum of the nodes gives.

    Raises:
        NodesDisagreeError: they did not agree within a few tries; ``subject`` names in its text what they were asked.
        ChainUnreachableError: too few nodes answer.
        HubError: a quorum gives this error.
    """
    if chain.quorum == 1:
        return await request(chain.node_clients[0])
    answers: list[T | HubError] = []
    for tries_left in reversed(range(TRIES)):
        answers = await chain.ask_each_node(request)
        answer = quorum_answer(answers, chain.quorum)
        if answer is not None:
            return answer
        if sum(not isinstance(answer, ChainUnreachableError) for answer in answers) < chain.quorum:
            raise _too_few(answers)
        if tries_left:
            await asyncio.sleep(PAUSE_S)
    raise disagreement_error(chain, subject, answers)


def quorum_answer(answers: Sequence[T | HubError], quorum: int) -> T | None:
    """Returns the answer that a quorum gives, or None.

    Raises:
        HubError: a quorum gives this error; never a ChainUnreachableError.
    """
    received = [answer for answer in answers if not isinstance(answer, ChainUnreachableError)]
    for answer in received:
        if sum(_same(answer, other) for other in received) >= quorum:
            if isinstance(answer, HubError):
                raise answer
            return answer
    return None


def disagreement_error(chain: ChainClient, subject: str, answers: Sequence[object]) -> NodesDisagreeError:
    """Logs and counts that the nodes give different answers about ``subject``; returns the error to raise."""
    details = "; ".join(f"{node.name}: {answer}" for node, answer in zip(chain.nodes, answers, strict=True))
    return nodes_disagree_error("contents", subject, details)


def nodes_disagree_error(about: str, subject: str, details: str) -> NodesDisagreeError:
    """Logs and counts a disagreement ``about`` finality or contents; returns the error to raise."""
    metrics.NODES_DISAGREE.labels(about).inc()
    log.warning("RPC nodes disagree", about=about, what=subject, told=details)
    return NodesDisagreeError(
        f"The RPC nodes disagree on {subject} ({details}): one lags or lies, see `peerwatt-hub doctor`; nothing is "
        "closed until a quorum agrees"
    )


def _too_few(answers: Sequence[object]) -> ChainUnreachableError:
    failures = [str(answer) for answer in answers if isinstance(answer, ChainUnreachableError)]
    return ChainUnreachableError(f"Too few RPC nodes answer to be sure of anything final: {'; '.join(failures)}")


def _same(answer: object, other: object) -> bool:
    if isinstance(answer, HubError):
        return type(answer) is type(other) and str(answer) == str(other)
    return answer == other
