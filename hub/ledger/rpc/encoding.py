"""Encodes stored transactions for getTransaction and getBlock."""

import base64
import json
from typing import Any

from solders.message import Message, MessageV0
from solders.transaction import VersionedTransaction

from hub.ledger.bank import writable_flags
from hub.ledger.results import base58
from hub.ledger.rpc.params import UNSUPPORTED_VERSION, Config, RpcError, invalid
from hub.ledger.store.queries import StoredTransaction


def transaction_json(stored: StoredTransaction, config: Config) -> dict[str, Any]:
    """Returns a stored transaction with its meta.

    Raises:
        RpcError: the caller does not accept the transaction's version, or the encoding is not offered.
    """
    meta = json.loads(stored.result)
    transaction = VersionedTransaction.from_bytes(stored.raw)
    max_version = config.integer("maxSupportedTransactionVersion")
    is_versioned = isinstance(transaction.message, MessageV0)
    if is_versioned and max_version is None:
        raise RpcError(UNSUPPORTED_VERSION, _UNSUPPORTED)
    version: dict[str, Any] = {} if max_version is None else {"version": 0 if is_versioned else "legacy"}
    encoding = config.text("encoding", "json")
    encoded: Any
    if encoding == "base64":
        encoded = [base64.b64encode(stored.raw).decode(), "base64"]
    elif encoding in {"base58", "binary"}:
        encoded = [base58(stored.raw), "base58"]
    elif encoding == "json":
        encoded = _with_signatures(transaction, _message_json(transaction.message))
    elif encoding == "jsonParsed":
        encoded = _with_signatures(transaction, parsed_message(transaction.message, meta))
        meta = parsed_meta(meta, encoded["message"]["accountKeys"])
    else:
        raise invalid(f"encoding {encoding} is not offered here: use json, jsonParsed, base64 or base58")
    return {"transaction": encoded, "meta": meta, **version}


_UNSUPPORTED = (
    "Transaction version (0) is not supported by the requesting client. Please try the request again with the "
    'following configuration parameter: "maxSupportedTransactionVersion": 0'
)


def _with_signatures(transaction: VersionedTransaction, message: dict[str, Any]) -> dict[str, Any]:
    return {"signatures": [str(signature) for signature in transaction.signatures], "message": message}


def parsed_message(message: Message | MessageV0, meta: dict[str, Any]) -> dict[str, Any]:
    """Returns the message of jsonParsed; its instructions have the form of programs that Solana can not parse."""
    loaded = meta["loadedAddresses"]
    keys_and_flags = zip(message.account_keys, writable_flags(message), strict=True)
    keys = [
        {"pubkey": str(key), "signer": message.is_signer(index), "writable": writable, "source": "transaction"}
        for index, (key, writable) in enumerate(keys_and_flags)
    ]
    for access in ("writable", "readonly"):
        keys += [
            {"pubkey": key, "signer": False, "writable": access == "writable", "source": "lookupTable"}
            for key in loaded[access]
        ]
    encoded = _message_json(message)
    value = {
        "accountKeys": keys,
        "recentBlockhash": encoded["recentBlockhash"],
        "instructions": [_with_addresses(instruction, keys) for instruction in encoded["instructions"]],
    }
    if "addressTableLookups" in encoded:
        value["addressTableLookups"] = encoded["addressTableLookups"]
    return value


def parsed_meta(meta: dict[str, Any], keys: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the meta of jsonParsed, without the loaded addresses, which the message names."""
    inner = [
        {"index": group["index"], "instructions": [_with_addresses(inner, keys) for inner in group["instructions"]]}
        for group in meta["innerInstructions"]
    ]
    return {**{name: value for name, value in meta.items() if name != "loadedAddresses"}, "innerInstructions": inner}


def _with_addresses(instruction: dict[str, Any], keys: list[dict[str, Any]]) -> dict[str, Any]:
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
                "programIdIndex": instruction.program_id_index,
                "accounts": list(instruction.accounts),
                "data": base58(instruction.data),
                "stackHeight": None,
            }
            for instruction in message.instructions
        ],
    }
    if isinstance(message, MessageV0):
        value["addressTableLookups"] = [
            {
                "accountKey": str(lookup.account_key),
                "writableIndexes": list(lookup.writable_indexes),
                "readonlyIndexes": list(lookup.readonly_indexes),
            }
            for lookup in message.address_table_lookups
        ]
    return value
