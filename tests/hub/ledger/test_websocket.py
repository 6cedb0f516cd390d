"""What the ledger's WebSockets and pages in a browser may do: bounds, origins, and a client that does not listen."""

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from structlog.testing import capture_logs
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hub.ledger.producer import Producer
from hub.ledger.rpc.server import RpcServer
from hub.ledger.rpc.subscription_registry import SLOT
from hub.ledger.rpc.subscriptions import MAX_SUBSCRIPTIONS
from hub.ledger.rpc.websocket import MAX_CONNECTIONS, MAX_OUTGOING, PubSub
from support.servers.ledger import LedgerProcess, new_ledger
from support.servers.ledger_site import Site, served
from support.settlement.wallets import CALL
from support.waiting import PATIENCE_S, eventually

WALLET = "https://wallet.example"


@dataclass
class Served:
    """A ledger of this process, behind a real port."""

    url: str
    site: Site
    pubsub: PubSub

    @property
    def ws_url(self) -> str:
        return self.url.replace("http", "ws")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Served]:
    site = Site(tmp_path / "ledger.sqlite")
    rpc = RpcServer(site.chain, Producer(site.chain), faucet=False, origins=[WALLET])
    async with served(rpc) as url:
        yield Served(url, site, rpc.pubsub)
    site.chain.repository.close()


async def call(socket: Any, method: str, *params: Any) -> Any:
    await socket.send(json.dumps({**CALL, "method": method, "params": list(params)}))
    return json.loads(await socket.recv())


async def test_subscriptions_are_bounded_and_end_with_the_connection(here: Served) -> None:
    async with websockets.connect(here.ws_url) as socket:
        numbers = [(await call(socket, "rootSubscribe"))["result"] for _ in range(MAX_SUBSCRIPTIONS)]
        assert (await call(socket, "rootSubscribe"))["error"]["code"] == -32603
        assert (await call(socket, "rootUnsubscribe", numbers[0]))["result"] is True
        assert (await call(socket, "rootUnsubscribe", numbers[0]))["error"]["code"] == -32602
        assert "result" in await call(socket, "rootSubscribe")
        assert not here.pubsub.registry.is_empty
    await eventually(lambda: here.pubsub.registry.is_empty, what="no subscription")


async def test_a_signature_that_was_told_frees_its_place(here: Served) -> None:
    payment = here.site.payment()
    async with websockets.connect(here.ws_url) as socket:
        number = (await call(socket, "signatureSubscribe", str(payment.signatures[0])))["result"]
        here.site.submit(payment)
        here.site.chain.commit()
        here.site.chain.finalise()
        assert json.loads(await socket.recv())["params"]["subscription"] == number
        assert here.pubsub.registry.is_empty
        assert (await call(socket, "signatureUnsubscribe", number))["error"]["code"] == -32602


async def test_connections_are_bounded(here: Served) -> None:
    opened = [await websockets.connect(here.ws_url) for _ in range(MAX_CONNECTIONS)]
    for socket in opened:
        assert "result" in await call(socket, "slotSubscribe")
    async with websockets.connect(here.ws_url) as late:
        with pytest.raises(ConnectionClosed) as caught:
            async with asyncio.timeout(PATIENCE_S):
                await late.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1013
    for socket in opened:
        await socket.close()
    await eventually(lambda: here.pubsub.registry.is_empty, what="no subscription")
    async with websockets.connect(here.ws_url) as socket:
        assert "result" in await call(socket, "slotSubscribe")


async def test_a_client_that_does_not_listen_is_cut_off_and_others_are_not(here: Served) -> None:
    place = sockets.socket()
    place.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    place.setblocking(False)
    await asyncio.get_running_loop().sock_connect(place, ("127.0.0.1", int(here.url.rpartition(":")[2])))
    async with (
        websockets.connect(here.ws_url) as good,
        websockets.connect(here.ws_url, sock=place, max_queue=1, ping_interval=None, close_timeout=0.1) as deaf,
    ):
        assert "result" in await call(deaf, "slotSubscribe")
        number = (await call(good, "rootSubscribe"))["result"]
        async with asyncio.timeout(PATIENCE_S):
            while len(here.pubsub.registry._topics.get(SLOT, {})):
                for _ in range(MAX_OUTGOING // 2):
                    here.pubsub.registry._publish(SLOT, "x" * 4096)
                await asyncio.sleep(0.001)
        here.pubsub.registry._publish(("root",), 5)
        assert json.loads(await good.recv())["params"] == {"result": 5, "subscription": number}
        await eventually(lambda: here.pubsub._connections == 1, what="one connection")


@pytest.mark.parametrize("text", ["{", "[]", "5", "[" * 60_000, json.dumps({**CALL, "method": "getSlot"})])
async def test_other_messages_are_refused(here: Served, text: str) -> None:
    async with websockets.connect(here.ws_url) as socket:
        await socket.send(text)
        assert json.loads(await socket.recv())["error"]["code"] in {-32700, -32600, -32601}


async def test_a_subscription_that_fails_ends_alone(here: Served) -> None:
    """The chain stores its block all the same."""
    payment = here.site.payment()
    async with websockets.connect(here.ws_url) as socket:
        config = {"encoding": "base58", "commitment": "processed"}
        await call(socket, "programSubscribe", "1" * 32, config)
        (topic,) = here.pubsub.registry._topics
        (subscription,) = here.pubsub.registry._topics[topic].values()
        subscription.encode = lambda _: 1 // 0
        with capture_logs() as lines:
            here.site.submit(payment)
            here.site.chain.commit()
        assert here.pubsub.registry.is_empty
    assert [(line["event"], line["method"]) for line in lines] == [("a subscription failed", "programNotification")]


async def test_only_configured_origins_get_in(here: Served) -> None:
    async with websockets.connect(here.ws_url, origin=WALLET) as socket:  # type: ignore[arg-type] # an Origin is a str
        assert "result" in await call(socket, "slotSubscribe")
    with pytest.raises(InvalidStatus) as caught:
        await websockets.connect(here.ws_url, origin="https://evil.example")  # type: ignore[arg-type]
    assert caught.value.response.status_code == 403
    body = {**CALL, "method": "getSlot"}
    async with httpx.AsyncClient() as http:
        asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,solana-client"}
        for origin, may in ((WALLET, True), ("https://evil.example", False)):
            before = await http.options(here.url, headers={"Origin": origin, **asks})
            assert (before.status_code == 200) is may
            answer = await http.post(here.url, json=body, headers={"Origin": origin})
            allowed = answer.headers.get("access-control-allow-origin")
            assert allowed == (origin if may else None)


async def test_solanas_clients_find_it_on_the_next_port(ledger: LedgerProcess, tmp_path: Path) -> None:
    """solana-py and web3.js take the RPC's port + 1; the RPC's own port takes WebSockets as well."""
    assert ledger.ws_url == ledger.url.replace("http", "ws")
    ledger.stop()
    for _ in range(20):
        with sockets.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        ledger.start(port=port)
        if ledger.ws_url.endswith(f":{port + 1}"):
            break
        ledger.stop()
    for url in (f"ws://127.0.0.1:{port + 1}", f"ws://127.0.0.1:{port}"):
        async with websockets.connect(url) as socket:
            assert "result" in await call(socket, "slotSubscribe")
    ledger.stop()
    with sockets.create_server(("127.0.0.1", port + 1)):
        ledger.start(port=port)
        assert ledger.ws_url == f"ws://127.0.0.1:{port}"
        assert "WebSockets are on the first port only" in ledger.log()
        ledger.stop()
        assert f"Port {port + 1}" in ledger.refuse_to_start("--ws-port", str(port + 1))


def test_origins_come_from_flags_and_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preflight = {"Access-Control-Request-Method": "POST"}
    monkeypatch.setenv("PEERWATT_LEDGER_ORIGINS", WALLET)
    with new_ledger(tmp_path, "--origin", "http://localhost:5173") as ledger:
        for origin in (WALLET, "http://localhost:5173"):
            answer = httpx.options(ledger.url, headers={"Origin": origin, **preflight})
            assert answer.headers["access-control-allow-origin"] == origin
