"""Pure translation of what the virtual machine returns into the JSON of Solana's RPC."""

import base64
import json
from typing import Any

import based58
from solders.pubkey import Pubkey
from solders.transaction_metadata import FailedTransactionMetadata, SimulatedTransactionInfo, TransactionMetadata

from hub.ledger.bank import LAMPORTS_PER_SIGNATURE, Execution

Result = TransactionMetadata | FailedTransactionMetadata


def base58(data: bytes) -> str:
    return based58.b58encode(data).decode()


def transaction_meta(execution: Execution, signers: int) -> dict[str, Any]:
    """The ``meta`` of getTransaction."""
    parts = _parts(execution.result)
    addresses = execution.addresses
    return {
        "err": parts["err"],
        "status": {"Ok": None} if parts["err"] is None else {"Err": parts["err"]},
        "fee": LAMPORTS_PER_SIGNATURE * signers,
        "preBalances": list(execution.before),
        "postBalances": list(execution.after),
        "preTokenBalances": [],
        "postTokenBalances": [],
        "rewards": [],
        "innerInstructions": parts["inner"],
        "logMessages": parts["logs"],
        "loadedAddresses": {
            "writable": [str(key) for key in addresses.loaded_writable],
            "readonly": [str(key) for key in addresses.loaded_readonly],
        },
        "computeUnitsConsumed": parts["units"],
        **({"returnData": parts["return"]} if parts["return"] else {}),
    }


def simulation(result: SimulatedTransactionInfo | FailedTransactionMetadata) -> dict[str, Any]:
    """The ``value`` of simulateTransaction, and the ``data`` of a failed preflight."""
    parts = _parts(result if isinstance(result, FailedTransactionMetadata) else result.meta())
    return {
        "err": parts["err"],
        "logs": parts["logs"],
        "accounts": None,
        "unitsConsumed": parts["units"],
        "returnData": parts["return"],
        "innerInstructions": None,
        "replacementBlockhash": None,
    }


def refused(error: Any) -> dict[str, Any]:
    """The simulation of a transaction that did not get as far as running."""
    return {
        "err": error,
        "logs": [],
        "accounts": None,
        "unitsConsumed": 0,
        "returnData": None,
        "innerInstructions": None,
        "replacementBlockhash": None,
    }


def _parts(result: Result) -> dict[str, Any]:
    value = json.loads(result.to_json())
    meta = value.get("meta", value)
    returned = meta["return_data"]
    return {
        "err": value.get("err"),
        "logs": meta["logs"],
        "units": meta["compute_units_consumed"],
        "inner": [_inner(index, group) for index, group in enumerate(meta["inner_instructions"]) if group],
        "return": _return_data(returned) if returned["data"] else None,
    }


def _inner(index: int, group: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "index": index,
        "instructions": [
            {
                "programIdIndex": one["instruction"]["programIdIndex"],
                "accounts": list(_bytes(one["instruction"]["accounts"])),
                "data": base58(_bytes(one["instruction"]["data"])),
                "stackHeight": one["stackHeight"],
            }
            for one in group
        ],
    }


def _return_data(value: dict[str, Any]) -> dict[str, Any]:
    program = value["program_id"]
    address = program if isinstance(program, str) else str(Pubkey(bytes(program)))
    return {"programId": address, "data": [base64.b64encode(_bytes(value["data"])).decode(), "base64"]}


def _bytes(value: Any) -> bytes:
    """A byte vector as serde writes it: numbers, or with its length in front when it was short-encoded."""
    flat = [n for part in value for n in (part if isinstance(part, list) else [part])]
    if value and isinstance(value[0], list):
        flat = flat[len(value[0]) :]
    return bytes(flat)
