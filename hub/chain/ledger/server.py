"""The HTTP side: one bounded JSON-RPC request (or batch) in, one answer out; loopback only, by Host header as well."""

import json
import logging
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hub.chain.ledger.chain import Chain
from hub.chain.ledger.producer import Producer
from hub.chain.ledger.rpc_accounts import AccountMethods
from hub.chain.ledger.rpc_blocks import BlockMethods
from hub.chain.ledger.rpc_params import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    Params,
    RpcError,
)
from hub.chain.ledger.rpc_transactions import TransactionMethods

logger = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 128 * 1024
MAX_BATCH = 50


class RpcServer:
    """Finds the method, runs it, and words the answer."""

    def __init__(self, chain: Chain, producer: Producer, *, faucet: bool) -> None:
        self._methods: dict[str, Callable[[Params], Any]] = {
            **AccountMethods(chain).methods,
            **TransactionMethods(chain, producer, faucet=faucet).methods,
            **BlockMethods(chain).methods,
        }
        self._chain = chain

    def app(self) -> Starlette:
        return Starlette(
            routes=[Route("/", self._post, methods=["POST"]), Route("/health", self._health)],
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        )

    async def _health(self, _: Request) -> Response:
        return PlainTextResponse("behind" if self._chain.fault else "ok")

    async def _post(self, request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_REQUEST_BYTES:
                return PlainTextResponse(f"A request has at most {MAX_REQUEST_BYTES} bytes\n", status_code=413)
        answer = json.dumps(self.answer(bytes(body)), separators=(",", ":"))
        return Response(answer, media_type="application/json")

    def answer(self, body: bytes) -> Any:
        """The JSON answer to a request body."""
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            return _error(None, RpcError(PARSE_ERROR, "Parse error"))
        if not isinstance(value, list):
            return self._one(value)
        if not 0 < len(value) <= MAX_BATCH:
            return _error(None, RpcError(INVALID_REQUEST, f"A batch has 1 to {MAX_BATCH} requests"))
        return [self._one(one) for one in value]

    def _one(self, call: Any) -> dict[str, Any]:
        if not isinstance(call, dict) or call.get("jsonrpc") != "2.0" or not isinstance(call.get("method"), str):
            return _error(None, RpcError(INVALID_REQUEST, "Invalid request"))
        identity, params = call.get("id"), call.get("params")
        method = self._methods.get(call["method"])
        if method is None:
            return _error(identity, RpcError(METHOD_NOT_FOUND, f"Method not found: {call['method'][:64]}"))
        if params is not None and not isinstance(params, list):
            return _error(identity, RpcError(INVALID_PARAMS, "Invalid params: a list is expected"))
        try:
            return {"jsonrpc": "2.0", "id": identity, "result": method(Params(params or []))}
        except RpcError as error:
            return _error(identity, error)
        except Exception:
            logger.exception("%s failed", call["method"])
            return _error(identity, RpcError(INTERNAL_ERROR, "Internal error: see the ledger's log"))


def _error(identity: Any, error: RpcError) -> dict[str, Any]:
    value: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        value["data"] = error.data
    return {"jsonrpc": "2.0", "id": identity, "error": value}
