"""Translates what the virtual machine returns into the JSON of Solana's RPC; pure."""

import base64
import json
from typing import Any

import based58
from solders.pubkey import Pubkey
from solders.transaction_metadata import FailedTransactionMetadata, SimulatedTransactionInfo, TransactionMetadata

from hub.ledger.bank import LAMPORTS_PER_SIGNATURE, Execution

Result = TransactionMetadata | FailedTransactionMetadata


def base58(data: bytes) -> str:
    """Encodes bytes as Solana writes them in text."""
    return based58.b58encode(data).decode()


def transaction_meta(execution: Execution, signers: int) -> dict[str, Any]:
    """Returns the ``meta`` of getTransaction; ``signers`` is the number of required signatures."""
    parts = _parts(execution.result)
    addresses = execution.addresses
    return {
        "err": parts["err"],
        "status": {"Ok": None} if parts["err"] is None else {"Err": parts["err"]},
        "fee": LAMPORTS_PER_SIGNATURE * signers,
        "preBalances": list(execution.lamports_before),
        "postBalances": list(execution.lamports_after),
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
    """Returns the ``value`` of simulateTransaction, which is also the ``data`` of a failed preflight."""
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


def refused_simulation(error: Any) -> dict[str, Any]:
    """Returns the simulation of a transaction that was refused before it ran, with Solana's error."""
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
                "programIdIndex": inner["instruction"]["programIdIndex"],
                "accounts": list(_bytes(inner["instruction"]["accounts"])),
                "data": base58(_bytes(inner["instruction"]["data"])),
                "stackHeight": inner["stackHeight"],
            }
            for inner in group
        ],
    }


def _return_data(value: dict[str, Any]) -> dict[str, Any]:
    program = value["program_id"]
    address = program if isinstance(program, str) else str(Pubkey(bytes(program)))
    return {"programId": address, "data": [base64.b64encode(_bytes(value["data"])).decode(), "base64"]}


def _bytes(value: Any) -> bytes:
    """Reads a byte vector as serde writes it: numbers, preceded by a list with the length when it was short-encoded."""
    flat = [number for part in value for number in (part if isinstance(part, list) else [part])]
    if value and isinstance(value[0], list):
        flat = flat[len(value[0]) :]
    return bytes(flat)
