"""The HTTP server: answers one bounded JSON-RPC request, or batch; loopback only, which the Host header must name.

A web page may read answers, or open a WebSocket, when its origin is configured.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from hub.ledger.chain import Chain
from hub.ledger.producer import Producer
from hub.ledger.rpc.accounts import AccountMethods, AccountView
from hub.ledger.rpc.blocks import BlockMethods
from hub.ledger.rpc.calls import answer
from hub.ledger.rpc.params import Params
from hub.ledger.rpc.tokens import TokenMethods
from hub.ledger.rpc.transactions import TransactionMethods
from hub.ledger.rpc.websocket import PubSub

MAX_REQUEST_BYTES = 128 * 1024
_WALLET_HEADERS = ["content-type", "solana-client"]
"""Request headers of Solana's JavaScript client."""
_PREFLIGHT_S = 600


class RpcServer:
    """All methods, served over HTTP and WebSockets."""

    def __init__(self, chain: Chain, producer: Producer, *, faucet: bool, origins: Sequence[str] = ()) -> None:
        view = AccountView(chain)
        self._methods: dict[str, Callable[[Params], Any]] = {
            **AccountMethods(chain, view).methods,
            **TokenMethods(view).methods,
            **TransactionMethods(chain, producer, faucet=faucet).methods,
            **BlockMethods(chain).methods,
        }
        self._chain = chain
        self._origins = list(origins)
        self.pubsub = PubSub(chain, origins)

    def app(self) -> Starlette:
        """Builds the ASGI application."""
        cors = Middleware(
            CORSMiddleware,
            allow_origins=self._origins,
            allow_methods=["POST"],
            allow_headers=_WALLET_HEADERS,
            max_age=_PREFLIGHT_S,
        )
        return Starlette(
            routes=[
                Route("/", self._post, methods=["POST"]),
                Route("/health", self._health),
                WebSocketRoute("/", self.pubsub.serve),
            ],
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]), cors],
        )

    async def _health(self, _: Request) -> Response:
        return PlainTextResponse("behind" if self._chain.fault else "ok")

    async def _post(self, request: Request) -> Response:
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_REQUEST_BYTES:
                    return PlainTextResponse(f"A request has at most {MAX_REQUEST_BYTES} bytes\n", status_code=413)
        except ClientDisconnect:
            # nobody reads the answer, and whoever was stopped in the middle of a request is no fault of this server
            return Response(status_code=400)
        text = json.dumps(self.answer(bytes(body)), separators=(",", ":"))
        return Response(text, media_type="application/json")

    def answer(self, body: bytes) -> Any:
        """Returns the answer to a request body, as an object or a list of objects."""
        return answer(body, self._methods)
