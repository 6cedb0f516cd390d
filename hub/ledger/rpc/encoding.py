"""Stored transactions in the forms that getTransaction and getBlock answer with."""

import base64
import json
from typing import Any

from solders.message import Message, MessageV0
from solders.transaction import VersionedTransaction

from hub.ledger.bank import writable_of
from hub.ledger.results import base58
from hub.ledger.rpc.params import UNSUPPORTED_VERSION, Config, RpcError, invalid
from hub.ledger.store.repository import StoredTransaction


def transaction_json(stored: StoredTransaction, config: Config) -> dict[str, Any]:
    """A stored transaction with its meta, as getTransaction and getBlock give it.

    Raises:
        RpcError: its version is newer than the caller understands, or the encoding is not offered.
    """
    meta = json.loads(stored.result)
    transaction = VersionedTransaction.from_bytes(stored.raw)
    newest = config.integer("maxSupportedTransactionVersion")
    is_versioned = isinstance(transaction.message, MessageV0)
    if is_versioned and newest is None:
        raise RpcError(UNSUPPORTED_VERSION, _UNSUPPORTED)
    version: dict[str, Any] = {} if newest is None else {"version": 0 if is_versioned else "legacy"}
    encoding = config.text("encoding", "json")
    encoded: Any
    if encoding == "base64":
        encoded = [base64.b64encode(stored.raw).decode(), "base64"]
    elif encoding in {"base58", "binary"}:
        encoded = [base58(stored.raw), "base58"]
    elif encoding == "json":
        encoded = _signed(transaction, _message_json(transaction.message))
    elif encoding == "jsonParsed":
        encoded = _signed(transaction, parsed_message(transaction.message, meta))
        meta = parsed_meta(meta, encoded["message"]["accountKeys"])
    else:
        raise invalid(f"encoding {encoding} is not offered here: use json, jsonParsed, base64 or base58")
    return {"transaction": encoded, "meta": meta, **version}


_UNSUPPORTED = (
    "Transaction version (0) is not supported by the requesting client. Please try the request again with the "
    'following configuration parameter: "maxSupportedTransactionVersion": 0'
)


def _signed(transaction: VersionedTransaction, message: dict[str, Any]) -> dict[str, Any]:
    return {"signatures": [str(one) for one in transaction.signatures], "message": message}


def parsed_message(message: Message | MessageV0, meta: dict[str, Any]) -> dict[str, Any]:
    """The message of jsonParsed: accounts with their rights; instructions as for programs that Solana can not parse."""
    loaded = meta["loadedAddresses"]
    named = zip(message.account_keys, writable_of(message), strict=True)
    keys = [
        {"pubkey": str(key), "signer": message.is_signer(index), "writable": writable, "source": "transaction"}
        for index, (key, writable) in enumerate(named)
    ]
    for name in ("writable", "readonly"):
        keys += [
            {"pubkey": key, "signer": False, "writable": name == "writable", "source": "lookupTable"}
            for key in loaded[name]
        ]
    plain = _message_json(message)
    value = {
        "accountKeys": keys,
        "recentBlockhash": plain["recentBlockhash"],
        "instructions": [_decoded(one, keys) for one in plain["instructions"]],
    }
    if "addressTableLookups" in plain:
        value["addressTableLookups"] = plain["addressTableLookups"]
    return value


def parsed_meta(meta: dict[str, Any], keys: list[dict[str, Any]]) -> dict[str, Any]:
    """The meta of jsonParsed, whose accounts stand in the message already."""
    inner = [
        {"index": group["index"], "instructions": [_decoded(one, keys) for one in group["instructions"]]}
        for group in meta["innerInstructions"]
    ]
    return {**{name: value for name, value in meta.items() if name != "loadedAddresses"}, "innerInstructions": inner}


def _decoded(instruction: dict[str, Any], keys: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "programId": keys[instruction["programIdIndex"]]["pubkey"],
        "accounts": [keys[index]["pubkey"] for index in instruction["accounts"]],
        "data": instruction["data"],
        "stackHeight": instruction["stackHeight"],
    }


def _message_json(message: Message | MessageV0) -> dict[str, Any]:
    header = message.header
    value: dict[str, Any] = {
        "header": {
            "numRequiredSignatures": header.num_required_signatures,
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
        },
        "accountKeys": [str(key) for key in message.account_keys],
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [
            {
                "programIdIndex": one.program_id_index,
                "accounts": list(one.accounts),
                "data": base58(one.data),
                "stackHeight": None,
            }
            for one in message.instructions
        ],
    }
    if isinstance(message, MessageV0):
        value["addressTableLookups"] = [
            {
                "accountKey": str(one.account_key),
                "writableIndexes": list(one.writable_indexes),
                "readonlyIndexes": list(one.readonly_indexes),
            }
            for one in message.address_table_lookups
        ]
    return value
