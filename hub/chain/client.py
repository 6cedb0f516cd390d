"""The hub's only way to the chain: solana-py's AsyncClient with our errors, compute limits, and waiting for finality.

Reads come from the first node that serves; a transaction goes to all, and a quorum of them says what became of it.
Instructions come from ``instructions``; a transaction is signed once, its signature known before it is sent.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import based58
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Commitment, Confirmed, Finalized
from solana.rpc.core import RPCException, _ClientCore
from solana.rpc.types import MemcmpOpts, TxOpts
from solders.account import Account
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.rpc.errors import SendTransactionPreflightFailureMessage
from solders.signature import Signature
from solders.transaction import Transaction
from solders.transaction_status import TransactionConfirmationStatus

from hub.chain.accounts import decode, discriminator, field_bytes
from hub.chain.error_translation import from_transaction_error
from hub.chain.errors import BlockhashExpiredError, ChainRefusedError, ChainUnreachableError, NotYetFinalError
from hub.chain.node import Failover, Node, PlainAnswer, PlainRequest, is_unhealthy
from hub.chain.programs import PROGRAM_IDS
from hub.chain.transaction_outcome import Level, Opinion, Sent, Status, TransactionOutcome, judge
from hub.chain.transactions import MAX_COMPUTE_UNITS, Blockhash, SignedTransaction, limit_for, sign
from hub.clock import SystemClock
from hub.errors import HubError

T = TypeVar("T")

MAX_ACCOUNTS_PER_CALL = 100
MAX_STATUSES_PER_CALL = 256
_LEVELS: dict[int, Level] = {
    int(TransactionConfirmationStatus.Processed): "processed",
    int(TransactionConfirmationStatus.Confirmed): "confirmed",
    int(TransactionConfirmationStatus.Finalized): "finalized",
}


@dataclass(frozen=True)
class Simulation:
    """What a transaction would use."""

    compute_units: int
    logs: tuple[str, ...]


@dataclass(frozen=True)
class Root:
    """The newest final block that a node knows."""

    slot: int
    height: int


class _Rpc(AsyncClient):
    """solana-py's client, asking through our provider."""

    def __init__(self, provider: Node | Failover, commitment: Commitment) -> None:
        # AsyncClient's own __init__ opens an HTTP client that nobody would use
        _ClientCore.__init__(self, commitment)
        self._provider = provider  # type: ignore[assignment]  # of a provider, it uses make_request and close only

    async def plain(self, method: str, *params: Any) -> Any:
        """The result of a method that solana-py lacks."""
        request: Any = PlainRequest(method, *params)
        answer: Any = await self._provider.make_request(request, PlainAnswer)
        return answer.result


class ChainClient:
    """One chain behind one or more nodes; use as ``async with ChainClient(url) as chain``."""

    def __init__(self, *places: str | Node, timeout_s: float = 10, commitment: Commitment = Confirmed) -> None:
        """Reads answer at ``commitment`` unless a call says otherwise; places are URLs of one chain's nodes."""
        clock = SystemClock()
        self.nodes = tuple(one if isinstance(one, Node) else Node(one, timeout_s, clock) for one in places)
        self.url = self.nodes[0].url
        self.quorum = len(self.nodes) // 2 + 1
        """So many nodes have to agree: one of one, two of two, two of three."""
        alone = len(self.nodes) == 1
        self.rpc = _Rpc(self.nodes[0] if alone else Failover(self.nodes), commitment)
        self.views: tuple[ChainClient, ...] = (
            (self,) if alone else tuple(ChainClient(node, commitment=commitment) for node in self.nodes)
        )
        """Each node by itself."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        for node in self.nodes:
            await node.close()

    async def everywhere(self, ask: Callable[["ChainClient"], Awaitable[T]]) -> list[T | HubError]:
        """What each node answers by itself, or its error, in the order of ``nodes``."""

        async def outcome(view: ChainClient) -> T | HubError:
            try:
                return await ask(view)
            except HubError as error:
                return error

        return list(await asyncio.gather(*(outcome(view) for view in self.views)))

    # -- transactions

    async def latest_blockhash(self) -> Blockhash:
        value = (await self._call(self.rpc.get_latest_blockhash())).value
        return Blockhash(value.blockhash, value.last_valid_block_height)

    async def block_height(self) -> int:
        return int((await self._call(self.rpc.get_block_height())).value)

    async def root(self) -> Root:
        """The newest final block."""
        value = (await self._call(self.rpc.get_epoch_info(Finalized))).value
        return Root(value.absolute_slot, value.block_height)

    async def recent_fees(self, writable: Sequence[Pubkey]) -> list[int]:
        """The least priority fee that got into each of the last blocks with these accounts, micro-lamports per unit."""
        rows = await self._call(self.rpc.plain("getRecentPrioritizationFees", [str(address) for address in writable]))
        return [int(row["prioritizationFee"]) for row in rows]

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
        """Sends the raw bytes once to every node; the answer is the signature, not yet a place on the chain.

        Raises:
            AlreadyProcessedError, BlockhashExpiredError, ProgramError, TransactionFailedError: the preflight's word.
            ChainUnreachableError: no answer; whether it arrived is open, so look at its status first.
        """
        raw = transaction if isinstance(transaction, bytes) else transaction.raw
        options = TxOpts(skip_preflight=not preflight, preflight_commitment=Confirmed, max_retries=0)
        answers = await self.everywhere(lambda view: view.ask(view.rpc.send_raw_transaction(raw, opts=options)))
        for answer in answers:
            if not isinstance(answer, HubError):
                return answer.value
        said = [answer for answer in answers if isinstance(answer, HubError)]
        raise next((error for error in said if not isinstance(error, ChainUnreachableError)), said[0])

    async def statuses(self, signatures: Sequence[Signature], *, history: bool = True) -> list[Status | None]:
        """Where one node sees these transactions, in the same order; None = it does not know it (yet)."""
        return (await self._statuses(signatures, history=history))[1]

    async def _statuses(
        self, signatures: Sequence[Signature], *, history: bool = True
    ) -> tuple[int, list[Status | None]]:
        """With the slot as of which the node answered."""
        found: list[Status | None] = []
        slots = []
        for at in range(0, len(signatures), MAX_STATUSES_PER_CALL):
            part = list(signatures[at : at + MAX_STATUSES_PER_CALL])
            answer = await self._call(self.rpc.get_signature_statuses(part, search_transaction_history=history))
            found += [None if one is None else _status(one) for one in answer.value]
            slots.append(answer.context.slot)
        return min(slots, default=0), found

    async def outcomes(self, sent: Sequence[Sent]) -> list[TransactionOutcome]:
        """What became of these transactions by the word of all nodes, in the same order.

        Raises:
            ChainUnreachableError: no node answers.
        """
        answers = await self.everywhere(lambda view: view.opinions(sent))
        said = [answer for answer in answers if isinstance(answer, HubError)]
        if len(said) == len(answers):
            raise said[0]
        columns = [[None] * len(sent) if isinstance(one, HubError) else one for one in answers]
        names = [node.name for node in self.nodes]
        return [judge(dict(zip(names, row, strict=True)), self.quorum) for row in zip(*columns, strict=True)]

    async def opinions(self, sent: Sequence[Sent]) -> list[Opinion]:
        """This node's. That one expired is said of its final blocks only, and as of a time not before them.

        Behind one URL may stand several machines, of which one lags: it must not make us sign anew what may still land.
        """
        signatures = [one.signature for one in sent]
        _, found = await self._statuses(signatures)
        if all(found):
            return [Opinion(status) for status in found]
        root = await self.root()
        if all(status or one.last_valid_height >= root.height for one, status in zip(sent, found, strict=True)):
            return [Opinion(status) for status in found]
        slot, found = await self._statuses(signatures)
        return [
            Opinion(status, expired=status is None and slot >= root.slot and root.height > one.last_valid_height)
            for one, status in zip(sent, found, strict=True)
        ]

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
        """Polls until the transaction has reached the level, `finalized` by a quorum of the nodes.

        Raises:
            ProgramError, TransactionFailedError: it is on the chain, and failed.
            BlockhashExpiredError: it is not on the chain and never will be.
            NotYetFinalError: the time is over.
        """
        deadline, sent = time.monotonic() + timeout_s, Sent(transaction.signature, transaction.last_valid_height)
        while time.monotonic() < deadline:
            (outcome,) = await self.outcomes([sent])
            if outcome.status is not None and outcome.status.reached(until):
                await self._raise_failure(transaction.signature, outcome.status)
                return outcome.status
            if outcome.expired:
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
        except RPCException as error:
            raise _rpc_error(self.url, error) from error


def _status(value: Any) -> Status:
    level = "processed" if value.confirmation_status is None else _LEVELS[int(value.confirmation_status)]
    error = None if value.err is None else from_transaction_error(value.err, ())
    return Status(value.slot, level, error)


def _rpc_error(url: str, refusal: RPCException) -> HubError:
    error = refusal.args[0]
    if isinstance(error, SendTransactionPreflightFailureMessage):
        return from_transaction_error(error.data.err, tuple(error.data.logs or ()))
    text = getattr(error, "message", str(error))
    if is_unhealthy(refusal):
        return ChainUnreachableError(f"The chain at {url} can not serve now: {text}")
    return ChainRefusedError(f"The chain at {url} refused the request: {text}")
