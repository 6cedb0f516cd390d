"""How the chain's nodes do: each asked by itself, and as the circuit breakers of this machine's worker see them."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from hub.chain.client import ChainClient, Root
from hub.chain.node import STATE_NUMBERS
from hub.errors import HubError, RetryableError
from hub.settings import Settings

ASK_S = 4.0
BEHIND_SLOTS = 150
"""A minute: a node that is so far behind the others stops a quorum."""
_STATES = {number: state for state, number in STATE_NUMBERS.items()}


class NodesTroubleError(RetryableError):
    """A node is away or behind, or the nodes disagree: without a quorum nothing is closed."""

    code = "nodes_trouble"


async def look_at_nodes(settings: Settings) -> str:
    """One line about every node.

    Raises:
        NodesTroubleError: one does not do as it should.
    """
    async with ChainClient(*settings.rpc_urls, timeout_s=ASK_S) as chain:
        roots = await chain.everywhere(lambda view: view.root())
        names, quorum = [node.name for node in chain.nodes], chain.quorum
    breakers, disagreements = await _worker_says(settings.metrics_port)
    newest = max((one.slot for one in roots if isinstance(one, Root)), default=0)
    told, troubles = [], 0
    for name, root in zip(names, roots, strict=True):
        told.append(f"{name} {_word(root, newest)}{_breaker(breakers.get(name))}")
        left_alone = breakers.get(name) == STATE_NUMBERS["open"]
        troubles += isinstance(root, HubError) or newest - root.slot > BEHIND_SLOTS or left_alone
    if disagreements:
        told.append(f"the worker saw them disagree {disagreements} times since it started, its log says on what")
    line = f"{'; '.join(told)}; final is what {quorum} of {len(names)} say"
    if troubles or disagreements:
        raise NodesTroubleError(line)
    return line


def _word(root: Root | HubError, newest: int) -> str:
    if isinstance(root, HubError):
        return f"does not serve ({root})"
    behind = newest - root.slot
    return f"is {behind} slots behind" if behind > BEHIND_SLOTS else f"is at final slot {root.slot}"


def _breaker(state: int | None) -> str:
    return "" if state is None else f", the worker's breaker is {_STATES[state]}"


async def _worker_says(port: int) -> tuple[dict[str, int], int]:
    """Breakers by node and how often nodes disagreed; nothing when no worker serves metrics here."""
    if port == 0:
        return {}, 0
    try:
        async with httpx.AsyncClient(timeout=ASK_S) as http:
            text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
    except httpx.HTTPError:
        return {}, 0
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    breakers = {one.labels["node"]: int(one.value) for one in samples if one.name == "peerwatt_chain_node_breaker"}
    return breakers, int(sum(one.value for one in samples if one.name == "peerwatt_chain_nodes_disagree_total"))
