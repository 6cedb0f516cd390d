"""JSON-RPC 2.0: answers a request body, or a batch, with the methods that it is given; pure."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from hub.ledger.rpc.params import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    Params,
    RpcError,
)

log = structlog.get_logger()

MAX_BATCH = 50

Methods = Mapping[str, Callable[[Params], Any]]


def answer(body: bytes, methods: Methods) -> Any:
    """Returns the answer to a request body, as an object or a list of objects."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return _error(None, RpcError(PARSE_ERROR, "Parse error"))
    if not isinstance(value, list):
        return _answer_call(value, methods)
    if not 0 < len(value) <= MAX_BATCH:
        return _error(None, RpcError(INVALID_REQUEST, f"A batch has 1 to {MAX_BATCH} requests"))
    return [_answer_call(call, methods) for call in value]


def _answer_call(call: Any, methods: Methods) -> dict[str, Any]:
    if not isinstance(call, dict) or call.get("jsonrpc") != "2.0" or not isinstance(call.get("method"), str):
        return _error(None, RpcError(INVALID_REQUEST, "Invalid request"))
    identity, params = call.get("id"), call.get("params")
    method = methods.get(call["method"])
    if method is None:
        return _error(identity, RpcError(METHOD_NOT_FOUND, f"Method not found: {call['method'][:64]}"))
    if params is not None and not isinstance(params, list):
        return _error(identity, RpcError(INVALID_PARAMS, "Invalid params: a list is expected"))
    try:
        return {"jsonrpc": "2.0", "id": identity, "result": method(Params(params or []))}
    except RpcError as error:
        return _error(identity, error)
    except Exception:
        log.exception("an RPC method failed", method=call["method"])
        return _error(identity, RpcError(INTERNAL_ERROR, "Internal error: see the ledger's log"))


def _error(identity: Any, error: RpcError) -> dict[str, Any]:
    value: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        value["data"] = error.data
    return {"jsonrpc": "2.0", "id": identity, "error": value}
