"""A Solana RPC node that tests talk to: the embedded ledger always, and any other by its URL.

PEERWATT_TEST_RPC_URL names another node with a faucet, PEERWATT_TEST_WS_URL its WebSockets when they are not on the
port after the first. Settlement tests run on it as well when PEERWATT_TEST_CHAIN_KEYS names the folder of the keys that
`peerwatt-hub chain deploy --interval-s 2` founded it with.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from solders.keypair import Keypair

from hub.chain.bootstrap import Bootstrap
from support.servers.ledger import new_ledger, running_ledger
from support.waiting import PATIENCE_S

NO_CHAIN = "http://127.0.0.1:1"
"""A URL at which no node answers."""
EMBEDDED = "embedded"
RPC_URL, WS_URL, KEYS = "PEERWATT_TEST_RPC_URL", "PEERWATT_TEST_WS_URL", "PEERWATT_TEST_CHAIN_KEYS"
GIFT_LAMPORTS = 100 * 10**9
_TRIES = 120


@dataclass(frozen=True)
class Node:
    """A node's URLs, and a wallet with lamports on it."""

    url: str
    ws_url: str
    rich: Keypair


@dataclass(frozen=True)
class SettlingNode:
    """A node's URL, and the keys that its programs were or will be founded with."""

    url: str
    keys: Bootstrap


def names() -> list[str]:
    """Returns the nodes of the conformance tests."""
    return [EMBEDDED, *([os.environ[RPC_URL]] if os.environ.get(RPC_URL) else [])]


def settling_names() -> list[str]:
    """Returns the nodes of the settlement tests."""
    return names() if os.environ.get(KEYS) else [EMBEDDED]


@contextmanager
def open_node(name: str, folder: Path) -> Iterator[Node]:
    """Opens the node, with a wallet that can pay."""
    if name == EMBEDDED:
        with new_ledger(folder) as ledger:
            yield Node(ledger.url, ledger.ws_url, ledger.rich)
            ledger.verify()
        return
    rich = Keypair()
    _ask_faucet(name, rich)
    yield Node(name, os.environ.get(WS_URL) or _next_port(name), rich)


@contextmanager
def open_settling_node(name: str, folder: Path) -> Iterator[SettlingNode]:
    """Opens the node: a new embedded ledger, or the named node with what earlier tests left on it."""
    if name != EMBEDDED:
        yield SettlingNode(name, Bootstrap.load_or_create(Path(os.environ[KEYS])))
        return
    keys = Bootstrap.random()
    with running_ledger(folder, keys) as ledger:
        yield SettlingNode(ledger.url, keys)
        ledger.verify()


def _next_port(url: str) -> str:
    parts = urlsplit(url)
    if parts.port is None:
        return url.replace("http", "ws", 1)
    return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.hostname}:{parts.port + 1}"


def _ask_faucet(url: str, wallet: Keypair) -> None:
    """Requests lamports and waits until they are final."""
    transport = httpx.HTTPTransport(retries=2)
    with httpx.Client(transport=transport, timeout=PATIENCE_S) as http:

        def call(method: str, *params: object) -> object:
            body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
            answer = http.post(url, json=body).json()
            assert "error" not in answer, answer
            return answer["result"]

        address = str(wallet.pubkey())
        call("requestAirdrop", address, GIFT_LAMPORTS)
        for _ in range(_TRIES):
            value = call("getBalance", address, {"commitment": "finalized"})
            if isinstance(value, dict) and value["value"]:
                return
            time.sleep(0.5)
    pytest.fail(f"{url} gave no lamports: it needs a faucet")
