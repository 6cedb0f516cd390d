"""JSON-RPC methods that take transactions, simulate them, and read their statuses and results."""

import json
from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.message import Message, from_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from hub.ledger.bank import LAMPORTS_PER_SIGNATURE
from hub.ledger.chain import Chain, TransactionRefusedError
from hub.ledger.errors import ClockJumpedError, WriteRefusedError
from hub.ledger.producer import Producer
from hub.ledger.results import refused_simulation, simulation
from hub.ledger.rpc.accounts import account_json
from hub.ledger.rpc.blocks import require_genuine
from hub.ledger.rpc.encoding import transaction_json
from hub.ledger.rpc.params import (
    API_VERSION,
    MAX_TRANSACTION_BYTES,
    PREFLIGHT_FAILURE,
    SIGNATURE_FAILURE,
    Config,
    Params,
    RpcError,
    binary,
    invalid,
    node_unhealthy,
    pubkey,
    signature,
)

MAX_STATUSES = 256
MAX_SIGNATURES = 1000
MAX_AIRDROP_LAMPORTS = 1_000_000 * 10**9


class TransactionMethods:
    """Answers sendTransaction and the other methods for transactions."""

    def __init__(self, chain: Chain, producer: Producer, *, faucet: bool) -> None:
        self._chain = chain
        self._producer = producer
        self.methods: dict[str, Callable[[Params], Any]] = {
            "sendTransaction": self._send,
            "simulateTransaction": self._simulate,
            "getSignatureStatuses": self._statuses,
            "getTransaction": self._transaction,
            "getSignaturesForAddress": self._signatures_for_address,
            "getFeeForMessage": self._fee,
            "getTransactionCount": lambda _: chain.transaction_count,
            "getRecentPrioritizationFees": lambda _: [{"slot": chain.slot(), "prioritizationFee": 0}],
        }
        if faucet:
            self.methods["requestAirdrop"] = self._airdrop

    def _send(self, params: Params) -> str:
        config = params.config(1)
        raw = binary(params.text(0, "a transaction"), config.text("encoding", "base58"))
        transaction = _decode(raw)
        if config.flag("skipPreflight"):
            self._submit_unchecked(transaction, raw)
        else:
            self._preflight(transaction)
            self._submit(transaction, raw)
        return str(transaction.signatures[0])

    def _submit_unchecked(self, transaction: VersionedTransaction, raw: bytes) -> None:
        """Submits without preflight: a transaction that can not run is dropped silently, as on Solana."""
        try:
            self._chain.check(transaction)
        except TransactionRefusedError:
            return
        self._submit(transaction, raw)

    def _submit(self, transaction: VersionedTransaction, raw: bytes) -> None:
        try:
            self._producer.submit(transaction, raw)
        except (WriteRefusedError, ClockJumpedError) as error:
            raise node_unhealthy(str(error)) from error

    def _preflight(self, transaction: VersionedTransaction) -> None:
        try:
            self._chain.check(transaction)
        except TransactionRefusedError as error:
            raise _refusal(error) from error
        self._chain.set_clock_for_simulation()
        outcome = simulation(self._chain.bank.simulate(transaction))
        if outcome["err"] is not None:
            text = f"Transaction simulation failed: {_error_text(outcome['err'])}"
            raise RpcError(PREFLIGHT_FAILURE, text, outcome)

    def _simulate(self, params: Params) -> Any:
        config = params.config(1)
        transaction = _decode(binary(params.text(0, "a transaction"), config.text("encoding", "base58")))
        verify, replace = config.flag("sigVerify"), config.flag("replaceRecentBlockhash")
        if verify and replace:
            raise invalid("sigVerify may not be used with replaceRecentBlockhash")
        context = {"slot": self._chain.slot(), "apiVersion": API_VERSION}
        try:
            self._chain.check(transaction, signatures=verify, blockhash=not replace)
        except TransactionRefusedError as error:
            if error.error == "SignatureFailure":
                raise _refusal(error) from error
            return {"context": context, "value": refused_simulation(error.error)}
        self._chain.set_clock_for_simulation()
        result = self._chain.bank.simulate(transaction)
        value = simulation(result)
        value["accounts"] = self._simulated_accounts(result, config)
        if replace:
            latest, height = self._chain.latest_blockhash()
            value["replacementBlockhash"] = {"blockhash": str(latest), "lastValidBlockHeight": height}
        return {"context": context, "value": value}

    def _simulated_accounts(self, result: Any, config: Config) -> list[Any] | None:
        selection = config.object("accounts")
        if selection is None:
            return None
        options = Config(selection)
        accounts_after = dict(result.post_accounts()) if hasattr(result, "post_accounts") else {}

        def read(key: Pubkey) -> Account | None:
            return accounts_after.get(key) or self._chain.bank.read(key)

        values = []
        for text in options.items("addresses", 64):
            account = read(pubkey(str(text)))
            values.append(None if account is None or account.lamports == 0 else account_json(account, options, read))
        return values

    def _statuses(self, params: Params) -> Any:
        texts = params.texts(0, "signatures", MAX_STATUSES)
        search = params.config(1).flag("searchTransactionHistory")
        values = [self._status(signature(text), search=search) for text in texts]
        return {"context": {"slot": self._chain.slot(), "apiVersion": API_VERSION}, "value": values}

    def _status(self, signature: Signature, *, search: bool) -> dict[str, Any] | None:
        recent = self._chain.statuses.get(signature)
        if recent is not None:
            slot, error, commitment = recent.slot, recent.error, recent.commitment
        else:
            stored = self._chain.repository.transaction(bytes(signature)) if search else None
            if stored is None:
                return None
            require_genuine(self._chain, stored.slot)
            slot, error, commitment = stored.slot, json.loads(stored.result)["err"], "finalized"
        depth = None if commitment == "finalized" else max(0, self._chain.slot() - slot)
        status = {"Ok": None} if error is None else {"Err": error}
        return {
            "slot": slot,
            "confirmations": depth,
            "err": error,
            "status": status,
            "confirmationStatus": commitment,
        }

    def _transaction(self, params: Params) -> Any:
        config = params.config(1)
        commitment = config.history()
        signature = params.signature(0)
        stored = self._chain.repository.transaction(bytes(signature))
        recent = self._chain.statuses.get(signature)
        if stored is None or (recent and recent.commitment != "finalized" and commitment == "finalized"):
            return None
        require_genuine(self._chain, stored.slot)
        block = self._chain.repository.block_at_or_before(stored.slot)
        block_time_s = None if block is None else block.time_ms // 1000
        return {"slot": stored.slot, "blockTime": block_time_s, **transaction_json(stored, config)}

    def _signatures_for_address(self, params: Params) -> Any:
        config = params.config(1)
        last_slot = self._chain.slot_for(config.history())
        limit = config.integer("limit") or MAX_SIGNATURES
        if limit > MAX_SIGNATURES:
            raise invalid(f"limit is at most {MAX_SIGNATURES}")
        before, until = config.text("before", ""), config.text("until", "")
        rows = self._chain.repository.transactions_naming(
            bytes(params.pubkey(0)),
            limit,
            bytes(signature(before)) if before else None,
            bytes(signature(until)) if until else None,
        )
        return [self._signature_row(*row) for row in rows if row[0] <= last_slot]

    def _signature_row(self, slot: int, raw_signature: bytes, result: str) -> dict[str, Any]:
        require_genuine(self._chain, slot)
        block = self._chain.repository.block_at_or_before(slot)
        status = self._chain.statuses.get(Signature.from_bytes(raw_signature))
        return {
            "signature": str(Signature.from_bytes(raw_signature)),
            "slot": slot,
            "err": json.loads(result)["err"],
            "memo": None,
            "blockTime": None if block is None else block.time_ms // 1000,
            "confirmationStatus": status.commitment if status else "finalized",
        }

    def _fee(self, params: Params) -> Any:
        raw = binary(params.text(0, "a message"), "base64")
        try:
            message = from_bytes_versioned(raw)
        except ValueError as error:
            raise invalid(f"the message can not be read: {error}") from error
        valid = self._chain.is_blockhash_valid(message.recent_blockhash)
        fee = LAMPORTS_PER_SIGNATURE * message.header.num_required_signatures if valid else None
        return {"context": {"slot": self._chain.slot(), "apiVersion": API_VERSION}, "value": fee}

    def _airdrop(self, params: Params) -> str:
        lamports = params.integer(1, "lamports")
        if lamports > MAX_AIRDROP_LAMPORTS:
            raise invalid(f"the faucet gives at most {MAX_AIRDROP_LAMPORTS} lamports at once")
        source = self._chain.authority
        payment = TransferParams(from_pubkey=source.pubkey(), to_pubkey=params.pubkey(0), lamports=lamports)
        # two equal airdrops must not be the same transaction: a second, empty transfer names a counter
        counter_address = Pubkey(b"peerwatt/faucet/" + self._chain.next_faucet_number().to_bytes(16, "little"))
        counter_transfer = transfer(TransferParams(from_pubkey=source.pubkey(), to_pubkey=counter_address, lamports=0))
        blockhash, _ = self._chain.latest_blockhash()
        message = Message.new_with_blockhash([transfer(payment), counter_transfer], source.pubkey(), blockhash)
        transaction = VersionedTransaction(message, [source])
        self._preflight(transaction)
        self._submit(transaction, bytes(transaction))
        return str(transaction.signatures[0])


def _decode(raw: bytes) -> VersionedTransaction:
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise invalid(f"the transaction has {len(raw)} bytes, at most {MAX_TRANSACTION_BYTES} go into one packet")
    try:
        transaction = VersionedTransaction.from_bytes(raw)
    except ValueError as error:
        raise invalid(f"failed to deserialize the transaction: {error}") from error
    if not transaction.signatures or bytes(transaction) != raw:
        raise invalid("failed to deserialize the transaction: it has no signature, or bytes to spare")
    return transaction


def _refusal(error: TransactionRefusedError) -> RpcError:
    if error.error == "SignatureFailure":
        return RpcError(SIGNATURE_FAILURE, "Transaction signature verification failure")
    if error.error == "SanitizeFailure":
        return invalid("invalid transaction: Transaction failed to sanitize accounts offsets correctly")
    text = f"Transaction simulation failed: {_error_text(error.error)}"
    return RpcError(PREFLIGHT_FAILURE, text, refused_simulation(error.error))


_ERROR_TEXTS = {
    "BlockhashNotFound": "Blockhash not found",
    "AlreadyProcessed": "This transaction has already been processed",
    "AccountNotFound": "Attempt to debit an account but found no record of a prior credit.",
    "InsufficientFundsForFee": "Insufficient funds for fee",
}


def _error_text(error: Any) -> str:
    if isinstance(error, str):
        return _ERROR_TEXTS.get(error, error)
    if isinstance(error, dict) and "InstructionError" in error:
        index, cause = error["InstructionError"]
        code = cause.get("Custom") if isinstance(cause, dict) else None
        text = f"custom program error: {code:#x}" if code is not None else str(cause)
        return f"Error processing Instruction {index}: {text}"
    return json.dumps(error)
