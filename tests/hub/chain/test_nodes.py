"""Several nodes: reads fail over, transactions go to all, a failing node is not called, a lagging one not believed."""

import asyncio
from collections.abc import AsyncIterator
from email.utils import formatdate

import pytest
from prometheus_client import REGISTRY
from solders.keypair import Keypair

from hub.chain import quorum
from hub.chain.breaker import FAILURE_THRESHOLD
from hub.chain.client import ChainClient
from hub.chain.errors import ChainRefusedError, ChainUnreachableError, NodesDisagreeError, ProgramError
from hub.chain.quorum import ask_quorum
from hub.chain.transaction_outcome import SentTransaction
from support.servers.faulty_node import FaultyNode
from support.servers.ledger import LedgerProcess
from support.servers.rpc_faults import SEND, STATUSES, AsksFees, Claims, Drops, ForgetsWhatItKnows, Hangs, Lags, Refuses

GARBAGE = [b"<html>", b'{"jsonrpc":"2.0"}', b'{"jsonrpc":"2.0","id":0,"error":{"code":-32005,"message":"x"}}']


@pytest.fixture
async def both(first: FaultyNode, second: FaultyNode) -> AsyncIterator[ChainClient]:
    async with ChainClient(first.url, second.url, timeout_s=3) as client:
        yield client


NODE_FAULTS = [Refuses(status=429), Refuses(status=500), Hangs(), *(Refuses(status=200, body=body) for body in GARBAGE)]


@pytest.mark.parametrize("fault", NODE_FAULTS, ids=["429", "500", "hangs", "html", "no result", "no error"])
async def test_reads_fail_over_and_the_ill_node_is_left_alone(
    both: ChainClient, first: FaultyNode, second: FaultyNode, fault: Refuses | Hangs
) -> None:
    first.faults.append(fault)
    for _ in range(FAILURE_THRESHOLD + 3):
        assert await both.slot() >= 0
    assert first.calls["getSlot"] == FAILURE_THRESHOLD
    assert second.calls["getSlot"] == FAILURE_THRESHOLD + 3
    name = both.nodes[0].name
    assert REGISTRY.get_sample_value("peerwatt_chain_node_breaker", {"node": name}) == 2
    assert REGISTRY.get_sample_value("peerwatt_chain_node_failures_total", {"node": name}) == FAILURE_THRESHOLD


async def test_an_answer_between_failures_keeps_a_node_in_use(both: ChainClient, first: FaultyNode) -> None:
    """Its breaker is closed from the start, and counts failures in a row only."""
    name = both.nodes[0].name
    assert REGISTRY.get_sample_value("peerwatt_chain_node_breaker", {"node": name}) == 0
    for _ in range(2):
        first.faults.append(Refuses(status=500))
        for _ in range(FAILURE_THRESHOLD - 1):
            assert await both.slot() >= 0
        first.faults.clear()
        assert await both.slot() >= 0
    assert first.calls["getSlot"] == 2 * FAILURE_THRESHOLD
    assert both.nodes[0].breaker.state == "closed"


async def test_a_node_in_order_is_not_asked_twice(both: ChainClient, second: FaultyNode) -> None:
    assert await both.slot() >= 0
    assert second.calls["getSlot"] == 0


async def test_when_no_node_serves_both_are_named(both: ChainClient, first: FaultyNode, second: FaultyNode) -> None:
    first.faults.append(Refuses(status=500))
    second.faults.append(Refuses(status=503))
    with pytest.raises(ChainUnreachableError) as caught:
        await both.slot()
    assert first.url in str(caught.value) and second.url in str(caught.value)


@pytest.mark.parametrize("header", ["30", "date"])
async def test_retry_after_is_honoured(first: FaultyNode, header: str) -> None:
    async with ChainClient(first.url) as chain:
        clock = chain.nodes[0].breaker.clock
        retry_after = formatdate(clock.now_ms() / 1000 + 30, usegmt=True) if header == "date" else header
        first.faults.append(Refuses(times=1, status=429, headers=f"retry-after: {retry_after}\r\n"))
        for message in ("429", "is asked again in"):
            with pytest.raises(ChainUnreachableError, match=message):
                await chain.slot()
        assert 20_000 < chain.nodes[0].breaker.remaining_ms <= 30_000
    assert first.calls["getSlot"] == 1


async def test_a_node_that_refuses_a_request_is_in_order(first: FaultyNode) -> None:
    async with ChainClient(first.url) as chain:
        for _ in range(FAILURE_THRESHOLD + 1):
            with pytest.raises(ChainRefusedError):
                await chain.token_balance(Keypair().pubkey())
        assert chain.nodes[0].breaker.state == "closed"


async def test_a_transaction_goes_to_every_node(
    both: ChainClient, first: FaultyNode, second: FaultyNode, shared_ledger: LedgerProcess
) -> None:
    first.faults.append(Drops())
    signed = await both.prepare([], [shared_ledger.rich])
    assert await both.send(signed) == signed.signature
    assert (await both.wait(signed)).level == "finalized"
    assert (first.calls[SEND], second.calls[SEND]) == (1, 1)


async def test_it_is_sent_when_one_node_is_away(
    both: ChainClient, first: FaultyNode, shared_ledger: LedgerProcess
) -> None:
    first.faults.append(Refuses(status=500))
    signed = await both.prepare([], [shared_ledger.rich])
    await both.send(signed)
    assert (await both.wait(signed, until="confirmed")).level == "confirmed"
    (outcome,) = await both.outcomes([SentTransaction(signed.signature, signed.last_valid_height)])
    assert outcome.status is not None and outcome.status.level == "confirmed", outcome


async def test_a_node_that_lags_does_not_say_that_something_expired(
    first: FaultyNode, shared_ledger: LedgerProcess
) -> None:
    """Its statuses come from a machine that lags; another behind the same URL answers with the newest heights."""
    async with ChainClient(first.url) as chain:
        signed = await chain.prepare([], [shared_ledger.rich])
        await chain.send(signed)
        await chain.wait(signed)
        overdue = SentTransaction(signed.signature, last_valid_height=0)
        first.faults = [ForgetsWhatItKnows()]
        (outcome,) = await chain.outcomes([overdue])
        assert (outcome.status, outcome.expired, outcome.known) == (None, False, False)
        first.faults = [Lags(slots=10**9)]
        (outcome,) = await chain.outcomes([overdue])
        assert (outcome.status, outcome.expired) == (None, False)
        assert first.calls[STATUSES] >= 3


async def test_what_a_quorum_does_not_say_is_not_agreed(
    both: ChainClient, first: FaultyNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quorum, "PAUSE_S", 0)

    async def status_of(client: ChainClient) -> str:
        return str((await client.statuses([signature]))[0])

    signature = (await both.prepare([], [Keypair()], compute_limit=1000)).signature
    assert await ask_quorum(both, status_of, "it") == "None"
    first.faults = [Claims()]
    with pytest.raises(NodesDisagreeError, match="The RPC nodes disagree on it"):
        await ask_quorum(both, status_of, "it")
    first.faults = [Refuses(status=500)]
    with pytest.raises(ChainUnreachableError, match="Too few RPC nodes"):
        await ask_quorum(both, status_of, "it")


async def test_an_error_that_a_quorum_gives_is_raised(both: ChainClient) -> None:
    async def refuse(_: ChainClient) -> None:
        raise ProgramError("trading", 6000, "NotOpen", "no")

    with pytest.raises(ProgramError):
        await ask_quorum(both, refuse, "it")


async def test_nodes_that_need_a_moment_are_given_it(both: ChainClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quorum, "PAUSE_S", 0)
    answers = iter([1, 2, 3, 4, 5, 5])

    async def count(_: ChainClient) -> int:
        await asyncio.sleep(0)
        return next(answers)

    assert await ask_quorum(both, count, "it") == 5


async def test_recent_fees_are_read(first: FaultyNode) -> None:
    async with ChainClient(first.url) as chain:
        assert await chain.recent_fees([Keypair().pubkey()]) == [0]
        first.faults = [AsksFees(micro_lamports=77)]
        assert await chain.recent_fees([]) == [77] * 20
        refusal = b'{"jsonrpc":"2.0","id":0,"error":{"code":-32601,"message":"Method not found"}}'
        first.faults = [Refuses(status=200, body=refusal)]
        with pytest.raises(ChainRefusedError, match="Method not found"):
            await chain.recent_fees([])
