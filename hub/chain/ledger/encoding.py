"""Stored transactions in the forms that getTransaction and getBlock answer with."""

import base64
import json
from typing import Any

from solders.message import Message, MessageV0
from solders.transaction import VersionedTransaction

from hub.chain.ledger.repository import StoredTransaction
from hub.chain.ledger.results import base58
from hub.chain.ledger.rpc_params import invalid


def transaction_json(stored: StoredTransaction, encoding: str) -> dict[str, Any]:
    """A stored transaction with its meta, as getTransaction and getBlock give it."""
    meta = json.loads(stored.result)
    transaction = VersionedTransaction.from_bytes(stored.raw)
    version: Any = 0 if isinstance(transaction.message, MessageV0) else "legacy"
    encoded: Any
    if encoding == "base64":
        encoded = [base64.b64encode(stored.raw).decode(), "base64"]
    elif encoding == "base58":
        encoded = [base58(stored.raw), "base58"]
    elif encoding == "json":
        encoded = {
            "signatures": [str(one) for one in transaction.signatures],
            "message": _message_json(transaction.message),
        }
    else:
        raise invalid(f"encoding {encoding} is not offered here: use json, base64 or base58")
    return {"transaction": encoded, "meta": meta, "version": version}


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
