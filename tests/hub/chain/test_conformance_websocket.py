"""Subscriptions as every Solana node has them, by solana-py's client; on the nodes of test_conformance.py."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
import websockets
from solana.rpc.commitment import Commitment, Confirmed, Finalized, Processed
from solana.rpc.types import MemcmpOpts, TxOpts
from solana.rpc.websocket_api import SolanaWsClientProtocol, connect
from solders.keypair import Keypair
from solders.rpc.config import RpcTransactionLogsFilterMentions
from solders.rpc.responses import SubscriptionResult
from spl.token.constants import TOKEN_PROGRAM_ID

from hub.chain.client import ChainClient
from support.servers.nodes import Node
from support.settlement.wallets import CALL, Tokens, paid, payment
from support.waiting import PATIENCE_S


@pytest.fixture
async def chain(node: Node) -> AsyncIterator[ChainClient]:
    async with ChainClient(node.url) as client:
        yield client


class Listener:
    """solana-py's WebSocket client, one message at a time."""

    def __init__(self, socket: SolanaWsClientProtocol) -> None:
        self._socket = socket
        self._waiting: list[Any] = []

    async def subscribed(self, request: Awaitable[None]) -> int:
        """Returns the number of a new subscription; notifications that come before it are kept."""
        await request
        kept = []
        while not isinstance(message := await self._next(), SubscriptionResult):
            kept.append(message)
        self._waiting = kept + self._waiting
        return message.result

    async def notification(self) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            return await self._next()

    async def _next(self) -> Any:
        while not self._waiting:
            self._waiting = list(await self._socket.recv())
        return self._waiting.pop(0)


@pytest.fixture
async def socket(node: Node) -> AsyncIterator[SolanaWsClientProtocol]:
    async with connect(node.ws_url) as opened:
        yield opened


LEVELS = [Processed, Confirmed, Finalized]


@pytest.mark.parametrize("level", LEVELS)
async def test_a_signature_is_told_once(
    chain: ChainClient, node: Node, socket: SolanaWsClientProtocol, level: Commitment
) -> None:
    listener = Listener(socket)
    sent = payment(node.rich, Keypair().pubkey(), 10**7, (await chain.latest_blockhash()).value)
    number = await listener.subscribed(socket.signature_subscribe(sent.signatures[0], level))
    await chain.rpc.send_raw_transaction(bytes(sent))
    event = await listener.notification()
    assert event.subscription == number
    assert event.result.value.err is None
    assert event.result.context.slot > 0
    await chain.rpc.confirm_transaction(sent.signatures[0], Finalized)
    # a transaction that has landed already is reported at once
    number = await listener.subscribed(socket.signature_subscribe(sent.signatures[0], level))
    assert (await listener.notification()).subscription == number


async def test_a_failed_signature_is_told_with_its_error(
    chain: ChainClient, node: Node, socket: SolanaWsClientProtocol
) -> None:
    listener = Listener(socket)
    sent = payment(node.rich, Keypair().pubkey(), 10**18, (await chain.latest_blockhash()).value)
    await listener.subscribed(socket.signature_subscribe(sent.signatures[0], Confirmed))
    await chain.rpc.send_raw_transaction(bytes(sent), TxOpts(skip_preflight=True))
    assert (await listener.notification()).result.value.err is not None


@pytest.mark.parametrize("level", LEVELS)
async def test_an_account_is_told_when_it_changes(
    chain: ChainClient, node: Node, socket: SolanaWsClientProtocol, level: Commitment
) -> None:
    listener, to = Listener(socket), Keypair().pubkey()
    number = await listener.subscribed(socket.account_subscribe(to, level, "base64"))
    for total in (10**7, 2 * 10**7):
        await paid(chain, node.rich, to)
        event = await listener.notification()
        assert (event.subscription, event.result.value.lamports) == (number, total)
    await socket.account_unsubscribe(number)
    await listener.subscribed(socket.account_subscribe(Keypair().pubkey(), level))


async def test_a_programs_accounts_are_told_by_filter(
    chain: ChainClient, node: Node, socket: SolanaWsClientProtocol
) -> None:
    tokens, listener = Tokens(chain, node.rich), Listener(socket)
    filters = [165, MemcmpOpts(32, str(tokens.user.pubkey()))]
    await listener.subscribed(
        socket.program_subscribe(TOKEN_PROGRAM_ID, Confirmed, "base64", filters=filters)  # type: ignore[arg-type]
    )
    await tokens.make()
    event = await listener.notification()
    assert event.result.value.pubkey == tokens.held.pubkey()
    assert bytes(event.result.value.account.data[64:72]) == (1500).to_bytes(8, "little")


async def test_logs_are_told_of_what_they_mention(
    chain: ChainClient, node: Node, socket: SolanaWsClientProtocol
) -> None:
    listener, to = Listener(socket), Keypair().pubkey()
    await listener.subscribed(socket.logs_subscribe(RpcTransactionLogsFilterMentions(to), Confirmed))
    await paid(chain, node.rich, Keypair().pubkey())
    signature = await paid(chain, node.rich, to)
    event = (await listener.notification()).result.value
    assert event.signature == signature
    assert event.err is None
    assert any("success" in line for line in event.logs)


async def test_slots_and_roots_go_on(chain: ChainClient, node: Node, socket: SolanaWsClientProtocol) -> None:
    listener = Listener(socket)
    number = await listener.subscribed(socket.slot_subscribe())
    slots = [(await listener.notification()).result for _ in range(3)]
    assert slots[0].slot < slots[1].slot < slots[2].slot
    assert all(slot.root <= slot.parent < slot.slot for slot in slots)
    await socket.slot_unsubscribe(number)
    async with connect(node.ws_url) as second:
        other = Listener(second)
        await other.subscribed(second.root_subscribe())
        await paid(chain, node.rich, Keypair().pubkey())
        assert (await other.notification()).result > 0


WRONG: list[tuple[str, list[Any]]] = [
    ("accountSubscribe", ["short"]),
    ("accountUnsubscribe", [10**9]),
    ("logsSubscribe", [{"mentions": []}]),
    ("signatureSubscribe", ["1111"]),
]


@pytest.mark.parametrize(("method", "params"), WRONG, ids=[method for method, _ in WRONG])
async def test_a_wrong_subscription_is_refused(node: Node, method: str, params: list[Any]) -> None:
    async with websockets.connect(node.ws_url) as plain:
        await plain.send(json.dumps({**CALL, "method": method, "params": params}))
        assert json.loads(await plain.recv())["error"]["code"] == -32602
