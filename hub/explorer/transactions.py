"""Pure reading of a transaction as an RPC node answers with it: instructions by name, accounts, logs."""

from typing import Any

from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from hub.chain.error_translation import from_transaction_error
from hub.clock import at_s
from hub.explorer import idl_values
from hub.explorer.names import OURS, name_of
from hub.explorer.schemas import Level, NamedAddress, TransactionDetail, TransactionInstruction

_MAX_LOGS, _MAX_LINE = 300, 400


def read_transaction(answer: Any, level: Level | None) -> TransactionDetail:
    """The answer of getTransaction (base64) as the API shows it."""
    inner, meta = answer.transaction, answer.transaction.meta
    transaction = inner.transaction
    assert isinstance(transaction, VersionedTransaction)  # noqa: S101 - asked for in base64
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
        instructions=[_instruction(one, keys) for one in transaction.message.instructions],
        logs=[line[:_MAX_LINE] for line in logs[:_MAX_LOGS]],
    )


def _keys(message: Message | MessageV0, meta: Any) -> list[NamedAddress]:
    """All addresses in the order of their index, those of lookup tables last."""
    header, static = message.header, message.account_keys
    signers, last = header.num_required_signatures, len(static) - header.num_readonly_unsigned_accounts
    signing = signers - header.num_readonly_signed_accounts
    keys = [
        NamedAddress(name=None, address=str(key), signer=at < signers,
                     writable=at < signing if at < signers else at < last)
        for at, key in enumerate(static)
    ]  # fmt: skip
    loaded = meta.loaded_addresses
    for rights, found in ((True, loaded.writable), (False, loaded.readonly)) if loaded else ():
        keys += [NamedAddress(name=None, address=str(key), signer=False, writable=rights) for key in found]
    return keys


def _instruction(compiled: Any, keys: list[NamedAddress]) -> TransactionInstruction:
    program = Pubkey.from_string(keys[compiled.program_id_index].address)
    data = bytes(compiled.data)
    ours = OURS.get(program)
    known = None if ours is None else idl_values.instruction(ours, data)
    name, args, names = known or (None, None, [])
    accounts = [
        keys[index].model_copy(update={"name": names[at] if at < len(names) else None})
        for at, index in enumerate(bytes(compiled.accounts))
    ]
    return TransactionInstruction(
        program=str(program), program_name=name_of(program), name=name, args=args, accounts=accounts,
        data_hex=data.hex(),
    )  # fmt: skip
