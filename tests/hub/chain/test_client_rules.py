"""What the client makes of nodes' answers: what is sent how, when something expired, and how long is waited."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.keypair import Keypair
from solders.signature import Signature
from solders.transaction import Transaction

from hub.chain import client as client_module
from hub.chain.client import ChainClient, Root
from hub.chain.errors import (
    AlreadyProcessedError,
    BlockhashExpiredError,
    ChainUnreachableError,
    NotYetFinalError,
    TransactionFailedError,
)
from hub.chain.transaction_outcome import NodeReport, SentTransaction, Status
from hub.chain.transactions import Blockhash, SignedTransaction
from support.servers.nodes import NO_CHAIN

FIRST, SECOND = (Signature(bytes([number]) * 64) for number in (1, 2))
CONFIRMED = Status(5, "confirmed", None)


@dataclass
class Answers:
    """What a node answers: statuses by signature, as of a slot, one after the other; and its final block."""

    statuses: list[tuple[int, dict[Signature, Status]]]
    root: Root = field(default_factory=lambda: Root(slot=100, height=50))
    asked: int = 0

    def of(self, client: ChainClient, monkeypatch: pytest.MonkeyPatch) -> None:
        async def statuses(signatures: Sequence[Signature], *, history: bool = True) -> Any:
            slot, known = self.statuses[min(self.asked, len(self.statuses) - 1)]
            self.asked += 1
            assert history
            return slot, [known.get(signature) for signature in signatures]

        async def root() -> Root:
            return self.root

        monkeypatch.setattr(client, "_statuses", statuses)
        monkeypatch.setattr(client, "root", root)


async def reports(monkeypatch: pytest.MonkeyPatch, answers: Answers, *heights: int) -> list[tuple[Status | None, bool]]:
    sent = [SentTransaction(signature, height) for signature, height in zip((FIRST, SECOND), heights, strict=False)]
    async with ChainClient(NO_CHAIN) as client:
        answers.of(client, monkeypatch)
        return [(report.status, report.expired) for report in await client.reports(sent)]


async def test_what_is_known_has_not_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers([(7, {FIRST: CONFIRMED, SECOND: CONFIRMED})])
    assert await reports(monkeypatch, answers, 0, 0) == [(CONFIRMED, False)] * 2
    assert answers.asked == 1


async def test_a_transaction_expires_when_final_blocks_are_past_its_height(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a status that is not older than those blocks does not know it."""
    unknown = Answers([(99, {}), (100, {})])
    assert await reports(monkeypatch, unknown, 49, 50) == [(None, True), (None, False)]
    assert unknown.asked == 2
    early = Answers([(99, {})])
    assert await reports(monkeypatch, early, 50, 51) == [(None, False)] * 2
    assert early.asked == 1, "it may land yet"
    lagging = Answers([(99, {})])
    assert await reports(monkeypatch, lagging, 49) == [(None, False)]
    landed = Answers([(99, {}), (100, {FIRST: CONFIRMED})])
    assert await reports(monkeypatch, landed, 49, 49) == [(CONFIRMED, False), (None, True)]
    one_known = Answers([(99, {FIRST: CONFIRMED})])
    assert await reports(monkeypatch, one_known, 0, 50) == [(CONFIRMED, False), (None, False)]
    assert one_known.asked == 1


# Sending -------------------------------------------------------------------------------------------------------------


@dataclass
class Sent:
    """The options with which transactions were sent to each node."""

    answers: list[Any]
    options: list[Any] = field(default_factory=list)

    def through(self, client: ChainClient, monkeypatch: pytest.MonkeyPatch) -> None:
        async def send(raw: bytes, opts: Any) -> Any:
            self.options.append((raw, opts.skip_preflight, opts.max_retries, str(opts.preflight_commitment)))

        async def each(request: Any) -> list[Any]:
            for node in client.node_clients:
                monkeypatch.setattr(node.rpc, "send_raw_transaction", send)
                await request(node)
            return self.answers

        monkeypatch.setattr(client, "ask_each_node", each)


async def test_a_transaction_is_sent_once_to_each_node_with_a_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sent([ChainUnreachableError("a"), SimpleNamespace(value=FIRST)])
    async with ChainClient(NO_CHAIN, "http://127.0.0.1:2") as client:
        sent.through(client, monkeypatch)
        assert await client.send(b"raw") == FIRST
        assert await client.send(SignedTransaction(FIRST, b"signed", 1, 1), preflight=False) == FIRST
    assert sent.options == [(b"raw", False, 0, "confirmed")] * 2 + [(b"signed", True, 0, "confirmed")] * 2


@pytest.mark.parametrize(
    ("errors", "raised"),
    [
        ((ChainUnreachableError("a"), AlreadyProcessedError("b")), "b"),
        ((AlreadyProcessedError("a"), ChainUnreachableError("b")), "a"),
        ((ChainUnreachableError("a"), ChainUnreachableError("b")), "a"),
    ],
)
async def test_a_nodes_word_counts_for_more_than_silence(
    monkeypatch: pytest.MonkeyPatch, errors: tuple[Exception, ...], raised: str
) -> None:
    async with ChainClient(NO_CHAIN, "http://127.0.0.1:2") as client:
        Sent(list(errors)).through(client, monkeypatch)
        with pytest.raises((ChainUnreachableError, AlreadyProcessedError), match=f"^{raised}$"):
            await client.send(b"raw")


# Waiting -------------------------------------------------------------------------------------------------------------


async def waited(monkeypatch: pytest.MonkeyPatch, *reported: NodeReport, until: Any = "finalized") -> Status:
    """Waits for a transaction of which the node says this, one after the other."""
    left = list(reported)
    async with ChainClient(NO_CHAIN) as client:

        async def reports(_: object) -> list[NodeReport]:
            return [left.pop(0) if len(left) > 1 else left[0]]

        async def call(_: object) -> Any:
            return SimpleNamespace(value=[None])

        monkeypatch.setattr(client, "reports", reports)
        monkeypatch.setattr(client, "call", call)
        monkeypatch.setattr(client.rpc, "get_signature_statuses", lambda *_, **__: None)
        transaction = SignedTransaction(FIRST, b"raw", 9, 1)
        return await client.wait(transaction, until=until, timeout_s=0.5, poll_s=0.001)


async def test_it_waits_until_the_level_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    final = Status(6, "finalized", None)
    assert await waited(monkeypatch, NodeReport(None), NodeReport(CONFIRMED), NodeReport(final)) == final
    assert await waited(monkeypatch, NodeReport(None), NodeReport(CONFIRMED), until="confirmed") == CONFIRMED


async def test_it_ends_with_what_became_of_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BlockhashExpiredError, match="did not land in its blockhash's time"):
        await waited(monkeypatch, NodeReport(None), NodeReport(None, expired=True))
    failed = Status(6, "finalized", TransactionFailedError("refused"))
    with pytest.raises(TransactionFailedError, match=r"^refused$"):
        await waited(monkeypatch, NodeReport(failed))
    with pytest.raises(NotYetFinalError, match="is not finalized after"):
        await waited(monkeypatch, NodeReport(CONFIRMED))


async def test_without_any_node_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ChainClient(NO_CHAIN, "http://127.0.0.1:2") as client:
        answers: list[Any] = [ChainUnreachableError("a"), ChainUnreachableError("b")]

        async def each(_: object) -> list[Any]:
            return answers

        monkeypatch.setattr(client, "ask_each_node", each)
        with pytest.raises(ChainUnreachableError, match=r"^a$"):
            await client.outcomes([SentTransaction(FIRST, 1)])
        answers[1] = [NodeReport(CONFIRMED)]
        (outcome,) = await client.outcomes([SentTransaction(FIRST, 1)])
        assert (outcome.status, outcome.known) == (CONFIRMED, True)
        assert outcome.details.startswith("127.0.0.1:1 does not answer; 127.0.0.1:2 says confirmed in slot 5")


@pytest.mark.parametrize(("nodes", "quorum"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
async def test_a_quorum_is_more_than_half(nodes: int, quorum: int) -> None:
    async with ChainClient(*(f"http://127.0.0.1:{port}" for port in range(1, nodes + 1))) as client:
        assert client.quorum == quorum
        assert [node.url for node in client.node_clients] == [node.url for node in client.nodes]
        assert (client.node_clients == (client,)) == (nodes == 1)


async def test_statuses_are_asked_for_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[tuple[int, bool]] = []
    slots = iter((9, 7, 8))

    def ask(batch: list[Signature], *, search_transaction_history: bool) -> Any:
        batches.append((len(batch), search_transaction_history))
        return SimpleNamespace(value=[None] * len(batch), context=SimpleNamespace(slot=next(slots)))

    async def call(answer: Any) -> Any:
        return answer

    async with ChainClient(NO_CHAIN) as client:
        monkeypatch.setattr(client.rpc, "get_signature_statuses", ask)
        monkeypatch.setattr(client, "call", call)
        most = client_module.MAX_STATUSES_PER_CALL
        assert most == 256
        assert await client._statuses([FIRST] * (2 * most + 1)) == (7, [None] * (2 * most + 1))
        assert batches == [(most, True), (most, True), (1, True)]
        assert await client._statuses([]) == (0, [])


async def test_a_priority_fee_is_offered_when_it_is_named() -> None:
    key, blockhash = Keypair(), Blockhash(Hash.default(), 9)
    async with ChainClient(NO_CHAIN) as client:
        free = await client.prepare([], [key], blockhash=blockhash, compute_limit=1_000)
        paid = await client.prepare([], [key], blockhash=blockhash, compute_limit=1_000, price_micro_lamports=7)
    limit, price = bytes(set_compute_unit_limit(1_000).data), bytes(set_compute_unit_price(7).data)
    messages = [Transaction.from_bytes(made.raw).message for made in (free, paid)]
    parts = [[bytes(part.data) for part in message.instructions] for message in messages]
    assert parts == [[limit], [limit, price]]
    assert (free.compute_limit, free.last_valid_height) == (1_000, 9)
