"""Signs transactions. Pure: the same instructions, keys and blockhash give the same signature.

``instructions`` builds the instructions; ``client`` sends the raw bytes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.signature import Signature
from solders.transaction import Transaction

MAX_COMPUTE_UNITS = 1_400_000
MAX_TRANSACTION_BYTES = 1232
"""Solana's limit: what fits one packet (``PACKET_DATA_SIZE``)."""


@dataclass(frozen=True)
class Blockhash:
    """A recent blockhash to sign with, and the last block height at which the transaction can land."""

    value: Hash
    last_valid_height: int


@dataclass(frozen=True)
class SignedTransaction:
    """A transaction to send any number of times; store signature, raw and last_valid_height before the first time."""

    signature: Signature
    raw: bytes
    last_valid_height: int
    compute_limit: int


def sign(
    instructions: Sequence[Instruction],
    signers: Sequence[Keypair],
    blockhash: Blockhash,
    compute_limit: int,
    price_micro_lamports: int = 0,
) -> SignedTransaction:
    """Returns the signed transaction; the first signer pays.

    Raises:
        ValueError: the signers are not exactly those required, or the transaction does not fit a packet.
    """
    budget = [set_compute_unit_limit(compute_limit)]
    if price_micro_lamports:
        budget.append(set_compute_unit_price(price_micro_lamports))
    unique_signers = list({key.pubkey(): key for key in signers}.values())
    message = Message.new_with_blockhash([*budget, *instructions], signers[0].pubkey(), blockhash.value)
    required = message.account_keys[: message.header.num_required_signatures]
    if {key.pubkey() for key in unique_signers} != set(required):
        raise ValueError(f"The transaction is to be signed by {', '.join(map(str, required))}")
    transaction = Transaction(unique_signers, message, blockhash.value)
    raw = bytes(transaction)
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise ValueError(f"The transaction has {len(raw)} bytes, at most {MAX_TRANSACTION_BYTES}: put less into it")
    return SignedTransaction(transaction.signatures[0], raw, blockhash.last_valid_height, compute_limit)


def limit_for(compute_units: int) -> int:
    """Adds a margin of 10 % to the simulated compute units: accounts may change before the execution."""
    return min(MAX_COMPUTE_UNITS, math.ceil(compute_units * 1.1) + 1_000)
