"""Reads JSON-RPC parameters, and refuses wrong ones with -32602; Solana's error codes."""

import base64
import binascii
from typing import Any, cast

import based58
from solders.hash import Hash, ParseHashError
from solders.pubkey import Pubkey
from solders.signature import Signature

from hub.ledger.recent import Commitment

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
PREFLIGHT_FAILURE = -32002
SIGNATURE_FAILURE = -32003
BLOCK_NOT_AVAILABLE = -32004
NODE_UNHEALTHY = -32005
SLOT_SKIPPED = -32007
UNSUPPORTED_VERSION = -32015
MIN_CONTEXT_SLOT = -32016

API_VERSION = "2.2.0"
"""Version of Solana's RPC that answers name."""

MAX_TRANSACTION_BYTES = 1232


class RpcError(Exception):
    """An error that is answered to the caller, with Solana's code."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


def node_unhealthy(reason: str) -> RpcError:
    """Returns the error of a node that can not serve now; Solana's clients require the field in the data."""
    return RpcError(NODE_UNHEALTHY, f"Node is unhealthy: {reason}", {"numSlotsBehind": None})


def invalid(message: str) -> RpcError:
    """Returns the error for a wrong parameter."""
    return RpcError(INVALID_PARAMS, f"Invalid params: {message}")


class Params:
    """The positional parameters of one call.

    Every method raises RpcError for a value of the wrong type; ``label`` names the value in the message.
    """

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def text(self, index: int, label: str) -> str:
        value = self._get(index)
        if not isinstance(value, str):
            raise invalid(f"{label} must be a string at position {index}")
        return value

    def integer(self, index: int, label: str) -> int:
        value = self._get(index)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
            raise invalid(f"{label} must be a non-negative integer at position {index}")
        return value

    def any(self, index: int) -> Any:
        """Returns the value unchecked, None when it is missing."""
        return self._get(index)

    def pubkey(self, index: int) -> Pubkey:
        return pubkey(self.text(index, "an address"))

    def signature(self, index: int) -> Signature:
        return signature(self.text(index, "a signature"))

    def hash(self, index: int) -> Hash:
        try:
            return Hash.from_string(self.text(index, "a blockhash"))
        except (ValueError, ParseHashError) as error:
            raise invalid(f"a blockhash: {error}") from error

    def texts(self, index: int, label: str, max_items: int) -> list[str]:
        value = self._get(index)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid(f"{label} must be a list of strings")
        if len(value) > max_items:
            raise invalid(f"Too many inputs provided; max {max_items}")
        return value

    def config(self, index: int) -> "Config":
        value = self._get(index)
        if value is None:
            return Config({})
        if not isinstance(value, dict):
            raise invalid(f"the configuration at position {index} must be an object")
        return Config(value)

    def _get(self, index: int) -> Any:
        return self._values[index] if index < len(self._values) else None


class Config:
    """The object with options, most calls' last parameter.

    A missing option has its default; every method raises RpcError for a value that is not allowed.
    """

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def commitment(self, name: str = "commitment", default: Commitment = "finalized") -> Commitment:
        value = self._values.get(name) or default
        if value not in {"processed", "confirmed", "finalized"}:
            raise invalid(f"{name} must be processed, confirmed or finalized")
        return cast("Commitment", value)

    def history(self) -> Commitment:
        """Returns the commitment of calls that read blocks, which is at least confirmed."""
        commitment = self.commitment()
        if commitment == "processed":
            raise invalid("Method does not support commitment below `confirmed`")
        return commitment

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self._values.get(name)
        return default if value is None else value is True

    def text(self, name: str, default: str) -> str:
        value = self._values.get(name)
        return value if isinstance(value, str) else default

    def integer(self, name: str) -> int | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise invalid(f"{name} must be a non-negative integer")
        return value

    def object(self, name: str) -> dict[str, Any] | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, dict):
            raise invalid(f"{name} must be an object")
        return value

    def items(self, name: str, max_items: int) -> list[Any]:
        value = self._values.get(name) or []
        if not isinstance(value, list) or len(value) > max_items:
            raise invalid(f"{name} must be a list of at most {max_items}")
        return value


def pubkey(text: str) -> Pubkey:
    """Reads a base58 address.

    Raises:
        RpcError: the text is no address.
    """
    try:
        return Pubkey.from_string(text)
    except ValueError as error:
        raise invalid(f"{text[:64]!r} is not an address: {error}") from error


def signature(text: str) -> Signature:
    """Reads a base58 signature.

    Raises:
        RpcError: the text is no signature.
    """
    try:
        return Signature.from_string(text)
    except ValueError as error:
        raise invalid(f"{text[:96]!r} is not a signature: {error}") from error


def binary(text: str, encoding: str) -> bytes:
    """Decodes base64 or base58.

    Raises:
        RpcError: the text or the encoding is wrong.
    """
    try:
        if encoding == "base64":
            return base64.b64decode(text, validate=True)
        if encoding == "base58":
            return bytes(based58.b58decode(text.encode()))
    except (ValueError, binascii.Error) as error:
        raise invalid(f"not {encoding}: {error}") from error
    raise invalid(f"unsupported encoding: {encoding}. Supported encodings: base58, base64")
