"""The state of the chain's nodes: what each answers, and the circuit breakers of this machine's worker."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from hub.chain.client import ChainClient, Root
from hub.chain.node import STATE_NUMBERS
from hub.errors import HubError, RetryableError
from hub.settings import Settings

TIMEOUT_S = 4.0
BEHIND_SLOTS = 150
"""A minute; a node that is further behind the others delays a quorum."""
_STATES = {number: state for state, number in STATE_NUMBERS.items()}


class NodesUnhealthyError(RetryableError):
    """A node does not answer or is behind, or the nodes disagree: without a quorum no interval is closed."""

    code = "nodes_trouble"


async def look_at_nodes(settings: Settings) -> str:
    """Returns one line with the state of every node.

    Raises:
        NodesUnhealthyError: a node does not answer, is behind, or disagrees; the message is that line.
    """
    async with ChainClient(*settings.rpc_urls, timeout_s=TIMEOUT_S) as chain:
        roots = await chain.ask_each_node(lambda view: view.root())
        names, quorum = [node.name for node in chain.nodes], chain.quorum
    breakers, disagreements = await _worker_metrics(settings.metrics_port)
    newest = max((root.slot for root in roots if isinstance(root, Root)), default=0)
    texts, problems = [], 0
    for name, root in zip(names, roots, strict=True):
        texts.append(f"{name} {_root_text(root, newest)}{_breaker_text(breakers.get(name))}")
        is_left_alone = breakers.get(name) == STATE_NUMBERS["open"]
        problems += isinstance(root, HubError) or newest - root.slot > BEHIND_SLOTS or is_left_alone
    if disagreements:
        texts.append(f"the worker saw them disagree {disagreements} times since it started, its log says on what")
    line = f"{'; '.join(texts)}; final is what {quorum} of {len(names)} say"
    if problems or disagreements:
        raise NodesUnhealthyError(line)
    return line


def _root_text(root: Root | HubError, newest: int) -> str:
    if isinstance(root, HubError):
        return f"does not serve ({root})"
    behind = newest - root.slot
    return f"is {behind} slots behind" if behind > BEHIND_SLOTS else f"is at final slot {root.slot}"


def _breaker_text(state: int | None) -> str:
    return "" if state is None else f", the worker's breaker is {_STATES[state]}"


async def _worker_metrics(port: int) -> tuple[dict[str, int], int]:
    """Returns the breakers by node and how often nodes disagreed; nothing when no worker serves metrics here."""
    if port == 0:
        return {}, 0
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as http:
            text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
    except httpx.HTTPError:
        return {}, 0
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    breakers = [sample for sample in samples if sample.name == "peerwatt_chain_node_breaker"]
    disagreements = [sample for sample in samples if sample.name == "peerwatt_chain_nodes_disagree_total"]
    states = {sample.labels["node"]: int(sample.value) for sample in breakers}
    return states, int(sum(sample.value for sample in disagreements))
