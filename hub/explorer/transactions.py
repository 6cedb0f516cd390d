"""Decodes a transaction from an RPC node's answer: instructions by name, accounts, logs; pure."""

from typing import Any

from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from hub.chain.error_translation import from_transaction_error
from hub.clock import at_s
from hub.explorer import idl_values
from hub.explorer.names import OUR_PROGRAMS, name_of
from hub.explorer.schemas import Level, NamedAddress, TransactionDetail, TransactionInstruction

_MAX_LOG_LINES, _MAX_LOG_CHARS = 300, 400


def read_transaction(answer: Any, level: Level | None) -> TransactionDetail:
    """Returns the API model of an answer to getTransaction (base64)."""
    inner, meta = answer.transaction, answer.transaction.meta
    transaction = inner.transaction
    assert isinstance(transaction, VersionedTransaction)  # noqa: S101 - base64 was requested
    keys = _keys(transaction.message, meta)
    logs = tuple(meta.log_messages or ())
    return TransactionDetail(
        signature=str(transaction.signatures[0]),
        slot=answer.slot,
        at=None if answer.block_time is None else at_s(answer.block_time),
        level=level,
        error=None if meta.err is None else str(from_transaction_error(meta.err, logs)),
        fee_lamports=meta.fee,
        compute_units=meta.compute_units_consumed,
        fee_payer=keys[0].address,
        instructions=[_instruction(compiled, keys) for compiled in transaction.message.instructions],
        logs=[line[:_MAX_LOG_CHARS] for line in logs[:_MAX_LOG_LINES]],
    )


def _keys(message: Message | MessageV0, meta: Any) -> list[NamedAddress]:
    """Returns all addresses in the order of their index; those from lookup tables come last."""
    header, static = message.header, message.account_keys
    signers, writable_end = header.num_required_signatures, len(static) - header.num_readonly_unsigned_accounts
    writable_signers = signers - header.num_readonly_signed_accounts
    keys = [
        NamedAddress(name=None, address=str(key), signer=index < signers,
                     writable=index < writable_signers if index < signers else index < writable_end)
        for index, key in enumerate(static)
    ]  # fmt: skip
    loaded = meta.loaded_addresses
    for writable, addresses in ((True, loaded.writable), (False, loaded.readonly)) if loaded else ():
        keys += [NamedAddress(name=None, address=str(key), signer=False, writable=writable) for key in addresses]
    return keys


def _instruction(compiled: Any, keys: list[NamedAddress]) -> TransactionInstruction:
    program = Pubkey.from_string(keys[compiled.program_id_index].address)
    data = bytes(compiled.data)
    program_name = OUR_PROGRAMS.get(program)
    decoded = None if program_name is None else idl_values.instruction(program_name, data)
    name, args, names = decoded or (None, None, [])
    accounts = [
        keys[index].model_copy(update={"name": names[position] if position < len(names) else None})
        for position, index in enumerate(bytes(compiled.accounts))
    ]
    return TransactionInstruction(
        program=str(program), program_name=name_of(program), name=name, args=args, accounts=accounts,
        data_hex=data.hex(),
    )  # fmt: skip
