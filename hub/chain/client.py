"""The hub's only way to the chain: solana-py's AsyncClient with our errors, compute limits, and waiting for finality.

Instructions come from ``instructions``; a transaction is signed once, its signature known before it is sent.
"""

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import based58
from solana.exceptions import SolanaRpcException
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Commitment, Confirmed
from solana.rpc.core import RPCException
from solana.rpc.types import MemcmpOpts, TxOpts
from solders.account import Account
from solders.errors import SerdeJSONError
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.rpc.errors import SendTransactionPreflightFailureMessage
from solders.signature import Signature
from solders.transaction import Transaction
from solders.transaction_status import TransactionConfirmationStatus

from hub.chain.accounts import decode, discriminator, field_bytes
from hub.chain.errors import BlockhashExpiredError, ChainRefusedError, ChainUnreachableError, NotYetFinalError
from hub.chain.faults import from_transaction_error
from hub.chain.programs import PROGRAM_IDS
from hub.chain.transactions import MAX_COMPUTE_UNITS, Blockhash, SignedTransaction, limit_for, sign
from hub.errors import HubError

T = TypeVar("T")
Level = Literal["processed", "confirmed", "finalized"]

MAX_ACCOUNTS_PER_CALL = 100
MAX_STATUSES_PER_CALL = 256
_LEVELS: dict[int, Level] = {
    int(TransactionConfirmationStatus.Processed): "processed",
    int(TransactionConfirmationStatus.Confirmed): "confirmed",
    int(TransactionConfirmationStatus.Finalized): "finalized",
}
_RANKS = {"processed": 0, "confirmed": 1, "finalized": 2}
_UNHEALTHY = ("NodeUnhealthy", "NodeBehind", "BlockStatusNotAvailableYet", "MinContextSlotNotReached", "InternalError")


@dataclass(frozen=True)
class Simulation:
    """What a transaction would use."""

    compute_units: int
    logs: tuple[str, ...]


@dataclass(frozen=True)
class Status:
    """Where a sent transaction stands; error is None when it succeeded."""

    slot: int
    level: Level
    error: HubError | None

    def reached(self, level: Level) -> bool:
        return _RANKS[self.level] >= _RANKS[level]


class ChainClient:
    """One connection; use as ``async with ChainClient(url) as chain``."""

    def __init__(self, url: str, *, timeout_s: float = 10, commitment: Commitment = Confirmed) -> None:
        """Reads answer at ``commitment`` unless a call says otherwise."""
        self.url = url
        self.rpc = AsyncClient(url, commitment=commitment, timeout=timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self.rpc.close()

    # -- transactions

    async def latest_blockhash(self) -> Blockhash:
        value = (await self._call(self.rpc.get_latest_blockhash())).value
        return Blockhash(value.blockhash, value.last_valid_block_height)

    async def block_height(self) -> int:
        return int((await self._call(self.rpc.get_block_height())).value)

    async def prepare(
        self,
        instructions: Sequence[Instruction],
        signers: Sequence[Keypair],
        *,
        blockhash: Blockhash | None = None,
        compute_limit: int | None = None,
        price_micro_lamports: int = 0,
    ) -> SignedTransaction:
        """Signs; the first signer pays. Without a compute limit it is simulated first and gets what it used + 10 %.

        Raises:
            ProgramError, TransactionFailedError: the simulation says that it can not succeed; nothing was sent.
            ChainUnreachableError: no answer.
        """
        used = blockhash or await self.latest_blockhash()
        if compute_limit is None:
            trial = sign(instructions, signers, used, MAX_COMPUTE_UNITS, price_micro_lamports)
            compute_limit = limit_for((await self.simulate(trial)).compute_units)
        return sign(instructions, signers, used, compute_limit, price_micro_lamports)

    async def simulate(self, transaction: SignedTransaction) -> Simulation:
        """Runs it without keeping anything.

        Raises:
            ProgramError, TransactionFailedError, BlockhashExpiredError: what sending it would give.
        """
        parsed = Transaction.from_bytes(transaction.raw)
        value = (await self._call(self.rpc.simulate_transaction(parsed, commitment=Confirmed))).value
        logs = tuple(value.logs or ())
        if value.err is not None:
            raise from_transaction_error(value.err, logs)
        return Simulation(value.units_consumed or 0, logs)

    async def send(self, transaction: SignedTransaction | bytes, *, preflight: bool = True) -> Signature:
        """Sends the raw bytes once; the answer is the signature, not yet a place on the chain.

        Raises:
            AlreadyProcessedError, BlockhashExpiredError, ProgramError, TransactionFailedError: the preflight's word.
            ChainUnreachableError: no answer; whether it arrived is open, so look at its status first.
        """
        raw = transaction if isinstance(transaction, bytes) else transaction.raw
        options = TxOpts(skip_preflight=not preflight, preflight_commitment=Confirmed, max_retries=0)
        return (await self._call(self.rpc.send_raw_transaction(raw, opts=options))).value

    async def statuses(self, signatures: Sequence[Signature], *, history: bool = True) -> list[Status | None]:
        """Where these transactions stand, in the same order; None = the chain does not know it (yet)."""
        found: list[Status | None] = []
        for at in range(0, len(signatures), MAX_STATUSES_PER_CALL):
            part = list(signatures[at : at + MAX_STATUSES_PER_CALL])
            answer = await self._call(self.rpc.get_signature_statuses(part, search_transaction_history=history))
            found += [None if one is None else _status(one) for one in answer.value]
        return found

    async def logs(self, signature: Signature) -> tuple[str, ...]:
        """What the programs logged in a transaction; empty when the chain does not (yet) know it."""
        meta = await self._meta(signature)
        return tuple(meta.log_messages or ()) if meta else ()

    async def compute_units(self, signature: Signature) -> int | None:
        """What a transaction used; None when the chain does not (yet) know it."""
        meta = await self._meta(signature)
        return None if meta is None else meta.compute_units_consumed

    async def _meta(self, signature: Signature) -> Any:
        found = await self._call(
            self.rpc.get_transaction(signature, commitment=Confirmed, max_supported_transaction_version=0)
        )
        return found.value.transaction.meta if found.value else None

    async def wait(
        self, transaction: SignedTransaction, *, until: Level = "finalized", timeout_s: float = 60, poll_s: float = 0.05
    ) -> Status:
        """Polls until the transaction has reached the level.

        Raises:
            ProgramError, TransactionFailedError: it is on the chain, and failed.
            BlockhashExpiredError: it is not on the chain and never will be.
            NotYetFinalError: the time is over.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            height = await self.block_height()
            (status,) = await self.statuses([transaction.signature])
            if status is not None and status.reached(until):
                await self._raise_failure(transaction.signature, status)
                return status
            if status is None and height > transaction.last_valid_height:
                raise BlockhashExpiredError(f"Transaction {transaction.signature} did not land in its blockhash's time")
            await asyncio.sleep(poll_s)
        raise NotYetFinalError(f"Transaction {transaction.signature} is not {until} after {timeout_s:.0f} s: ask again")

    async def _raise_failure(self, signature: Signature, status: Status) -> None:
        if status.error is None:
            return
        answer = await self._call(self.rpc.get_signature_statuses([signature], search_transaction_history=True))
        found = answer.value[0]
        if found is None or found.err is None:
            raise status.error
        raise from_transaction_error(found.err, await self.logs(signature))

    async def run(
        self, instructions: Sequence[Instruction], signers: Sequence[Keypair], *, until: Level = "finalized"
    ) -> Status:
        """prepare + send + wait, for set-up and tests; the settlement stores the signature in between."""
        transaction = await self.prepare(instructions, signers)
        await self.send(transaction)
        return await self.wait(transaction, until=until)

    # -- accounts

    async def raw_accounts(
        self, addresses: Sequence[Pubkey], *, commitment: Commitment | None = None
    ) -> list[Account | None]:
        """The accounts in the same order; None = there is none."""
        found: list[Account | None] = []
        for at in range(0, len(addresses), MAX_ACCOUNTS_PER_CALL):
            part = list(addresses[at : at + MAX_ACCOUNTS_PER_CALL])
            found += (await self._call(self.rpc.get_multiple_accounts(part, commitment=commitment))).value
        return found

    async def accounts(
        self, program: str, kind: str, addresses: Sequence[Pubkey], *, commitment: Commitment | None = None
    ) -> list[Any | None]:
        """Decoded accounts of one kind, in the same order; None = there is none. Fields as in the IDL, snake_case."""
        raw = await self.raw_accounts(addresses, commitment=commitment)
        return [None if one is None else decode(program, kind, one.data) for one in raw]

    async def account(self, program: str, kind: str, address: Pubkey, *, commitment: Commitment | None = None) -> Any:
        """One decoded account with the IDL's fields in snake_case, or None."""
        (found,) = await self.accounts(program, kind, [address], commitment=commitment)
        return found

    async def all_accounts(
        self, program: str, kind: str, *, where: Mapping[str, Any] | None = None, commitment: Commitment | None = None
    ) -> list[tuple[Pubkey, Any]]:
        """Every account of one kind with its address, or those whose fields have these values (three at most)."""
        wanted = [(0, discriminator(kind))]
        wanted += [field_bytes(program, kind, field, value) for field, value in (where or {}).items()]
        kept = [MemcmpOpts(offset=offset, bytes=based58.b58encode(part).decode()) for offset, part in wanted]
        answer = await self._call(
            self.rpc.get_program_accounts(PROGRAM_IDS[program], commitment=commitment, encoding="base64", filters=kept)
        )
        return [(one.pubkey, decode(program, kind, one.account.data)) for one in answer.value]

    async def lamports(self, address: Pubkey) -> int:
        return int((await self._call(self.rpc.get_balance(address))).value)

    async def token_balance(self, address: Pubkey, *, commitment: Commitment | None = None) -> int:
        """Units in a token account: micros of the currency, or Wh of the energy token."""
        return int((await self._call(self.rpc.get_token_account_balance(address, commitment))).value.amount)

    async def token_supply(self, mint: Pubkey, *, commitment: Commitment | None = None) -> int:
        return int((await self._call(self.rpc.get_token_supply(mint, commitment))).value.amount)

    async def rent(self, size: int) -> int:
        """Lamports that keep an account of that many bytes for ever."""
        return int((await self._call(self.rpc.get_minimum_balance_for_rent_exemption(size))).value)

    async def genesis_hash(self) -> Hash:
        return (await self._call(self.rpc.get_genesis_hash())).value

    async def slot(self) -> int:
        """The newest slot at the client's commitment."""
        return (await self._call(self.rpc.get_slot())).value

    async def block_time_s(self, slot: int) -> int | None:
        """The chain's own time at a slot in Unix seconds; None when the node does not keep it."""
        return (await self._call(self.rpc.get_block_time(slot))).value

    async def ask(self, request: Awaitable[T]) -> T:
        """Any other question of solana-py's client ``rpc``, with our errors."""
        return await self._call(request)

    async def _call(self, request: Awaitable[T]) -> T:
        try:
            return await request
        except SolanaRpcException as error:
            cause = error.__cause__ or error
            raise ChainUnreachableError(f"The chain at {self.url} does not answer: {cause!r}") from error
        except RPCException as error:
            raise _rpc_error(self.url, error.args[0]) from error
        except (ValueError, SerdeJSONError) as error:
            raise _no_rpc_node(self.url, error) from error
        except BaseException as error:
            # solders panics on an answer that it can not read, and a panic is no Exception
            if type(error).__name__ != "PanicException":
                raise
            raise _no_rpc_node(self.url, error) from error


def _no_rpc_node(url: str, error: BaseException) -> ChainUnreachableError:
    return ChainUnreachableError(f"{url} answers, but not as a Solana RPC node: {error}")


def _status(value: Any) -> Status:
    level = "processed" if value.confirmation_status is None else _LEVELS[int(value.confirmation_status)]
    error = None if value.err is None else from_transaction_error(value.err, ())
    return Status(value.slot, level, error)


def _rpc_error(url: str, error: Any) -> HubError:
    if isinstance(error, SendTransactionPreflightFailureMessage):
        return from_transaction_error(error.data.err, tuple(error.data.logs or ()))
    kind = type(error).__name__
    text = getattr(error, "message", str(error))
    if any(word in kind for word in _UNHEALTHY):
        return ChainUnreachableError(f"The chain at {url} can not serve now: {text}")
    return ChainRefusedError(f"The chain at {url} refused the request: {text}")
