"""The hub's client of a chain: reads, and transactions that are sent to every node and waited for until they are final.

A transaction is signed once, and its signature is known before it is sent. It goes to all nodes; a quorum of them says
what became of it. ``instructions`` builds the instructions.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from solana.rpc.commitment import Commitment, Confirmed, Finalized
from solana.rpc.types import TxOpts
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import Transaction
from solders.transaction_status import TransactionConfirmationStatus

from hub.chain.error_translation import from_transaction_error
from hub.chain.errors import BlockhashExpiredError, ChainUnreachableError, NotYetFinalError
from hub.chain.node import Failover, Node
from hub.chain.reader import ChainReader, RpcClient
from hub.chain.transaction_outcome import (
    Level,
    NodeReport,
    SentTransaction,
    Status,
    TransactionOutcome,
    combine_reports,
)
from hub.chain.transactions import MAX_COMPUTE_UNITS, Blockhash, SignedTransaction, limit_for, sign
from hub.clock import SystemClock
from hub.errors import HubError

T = TypeVar("T")

MAX_STATUSES_PER_CALL = 256
_LEVELS: dict[int, Level] = {
    int(TransactionConfirmationStatus.Processed): "processed",
    int(TransactionConfirmationStatus.Confirmed): "confirmed",
    int(TransactionConfirmationStatus.Finalized): "finalized",
}


@dataclass(frozen=True)
class Simulation:
    """What a simulated transaction used and logged."""

    compute_units: int
    logs: tuple[str, ...]


@dataclass(frozen=True)
class Root:
    """The newest final block that a node knows."""

    slot: int
    height: int


class ChainClient(ChainReader):
    """One chain behind one or more nodes; use as ``async with ChainClient(url) as chain``."""

    def __init__(self, *nodes: str | Node, timeout_s: float = 10, commitment: Commitment = Confirmed) -> None:
        """Takes the URLs of one chain's nodes; reads answer at ``commitment`` unless a call names another."""
        clock = SystemClock()
        self.nodes = tuple(node if isinstance(node, Node) else Node(node, timeout_s, clock) for node in nodes)
        has_one_node = len(self.nodes) == 1
        provider = self.nodes[0] if has_one_node else Failover(self.nodes)
        super().__init__(self.nodes[0].url, RpcClient(provider, commitment))
        self.quorum = len(self.nodes) // 2 + 1
        """The number of nodes that have to agree: one of one, two of two, two of three."""
        self.node_clients: tuple[ChainClient, ...] = (
            (self,) if has_one_node else tuple(ChainClient(node, commitment=commitment) for node in self.nodes)
        )
        """A client for each node alone, in the order of ``nodes``."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the nodes' connections."""
        for node in self.nodes:
            await node.close()

    async def ask_each_node(self, request: Callable[["ChainClient"], Awaitable[T]]) -> list[T | HubError]:
        """Returns each node's own answer or error, in the order of ``nodes``."""

        async def answer_of(client: ChainClient) -> T | HubError:
            try:
                return await request(client)
            except HubError as error:
                return error

        return list(await asyncio.gather(*(answer_of(client) for client in self.node_clients)))

    # -- preparing and sending

    async def latest_blockhash(self) -> Blockhash:
        """Returns a blockhash to sign with."""
        value = (await self.call(self.rpc.get_latest_blockhash())).value
        return Blockhash(value.blockhash, value.last_valid_block_height)

    async def root(self) -> Root:
        """Returns the newest final block."""
        value = (await self.call(self.rpc.get_epoch_info(Finalized))).value
        return Root(value.absolute_slot, value.block_height)

    async def recent_fees(self, writable: Sequence[Pubkey]) -> list[int]:
        """Returns each recent block's lowest priority fee for these accounts, in micro-lamports per compute unit."""
        addresses = [str(address) for address in writable]
        rows = await self.call(self.rpc.call_method("getRecentPrioritizationFees", addresses))
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
        """Signs a transaction; the first signer pays.

        Without a compute limit it is simulated first, and gets what it used and a margin of 10 %.

        Raises:
            ProgramError, TransactionFailedError: it fails in the simulation; nothing was sent.
            ChainUnreachableError: no answer.
        """
        blockhash = blockhash or await self.latest_blockhash()
        if compute_limit is None:
            trial = sign(instructions, signers, blockhash, MAX_COMPUTE_UNITS, price_micro_lamports)
            compute_limit = limit_for((await self.simulate(trial)).compute_units)
        return sign(instructions, signers, blockhash, compute_limit, price_micro_lamports)

    async def simulate(self, transaction: SignedTransaction) -> Simulation:
        """Executes a transaction without keeping its effects.

        Raises:
            ProgramError, TransactionFailedError, BlockhashExpiredError: sending it would fail like this.
        """
        parsed = Transaction.from_bytes(transaction.raw)
        value = (await self.call(self.rpc.simulate_transaction(parsed, commitment=Confirmed))).value
        logs = tuple(value.logs or ())
        if value.err is not None:
            raise from_transaction_error(value.err, logs)
        return Simulation(value.units_consumed or 0, logs)

    async def send(self, transaction: SignedTransaction | bytes, *, preflight: bool = True) -> Signature:
        """Sends the raw bytes once to every node; returns the signature, which does not mean that it is on the chain.

        Raises:
            AlreadyProcessedError, BlockhashExpiredError, ProgramError, TransactionFailedError: the preflight fails.
            ChainUnreachableError: no answer; it may have arrived or not, so look at its status first.
        """
        raw = transaction if isinstance(transaction, bytes) else transaction.raw
        options = TxOpts(skip_preflight=not preflight, preflight_commitment=Confirmed, max_retries=0)
        answers = await self.ask_each_node(
            lambda client: client.call(client.rpc.send_raw_transaction(raw, opts=options))
        )
        for answer in answers:
            if not isinstance(answer, HubError):
                return answer.value
        errors = [answer for answer in answers if isinstance(answer, HubError)]
        raise next((error for error in errors if not isinstance(error, ChainUnreachableError)), errors[0])

    # -- what became of it

    async def statuses(self, signatures: Sequence[Signature], *, history: bool = True) -> list[Status | None]:
        """Returns one node's statuses of these transactions, in the same order; None where it knows none (yet)."""
        return (await self._statuses(signatures, history=history))[1]

    async def _statuses(
        self, signatures: Sequence[Signature], *, history: bool = True
    ) -> tuple[int, list[Status | None]]:
        """Returns the slot as of which the node answered, and the statuses."""
        statuses: list[Status | None] = []
        slots = []
        for first in range(0, len(signatures), MAX_STATUSES_PER_CALL):
            batch = list(signatures[first : first + MAX_STATUSES_PER_CALL])
            response = await self.call(self.rpc.get_signature_statuses(batch, search_transaction_history=history))
            statuses += [None if value is None else _status(value) for value in response.value]
            slots.append(response.context.slot)
        return min(slots, default=0), statuses

    async def outcomes(self, sent: Sequence[SentTransaction]) -> list[TransactionOutcome]:
        """Returns what became of these transactions by the reports of all nodes, in the same order.

        Raises:
            ChainUnreachableError: no node answers.
        """
        answers = await self.ask_each_node(lambda client: client.reports(sent))
        errors = [answer for answer in answers if isinstance(answer, HubError)]
        if len(errors) == len(answers):
            raise errors[0]
        columns = [[None] * len(sent) if isinstance(answer, HubError) else answer for answer in answers]
        names = [node.name for node in self.nodes]
        return [combine_reports(dict(zip(names, row, strict=True)), self.quorum) for row in zip(*columns, strict=True)]

    async def reports(self, sent: Sequence[SentTransaction]) -> list[NodeReport]:
        """Returns this node's reports on these transactions, in the same order.

        A transaction counts as expired only when the node's final blocks are past its last valid height, and a status
        that is not older than those blocks does not know it. Several machines may stand behind one URL: one that lags
        must not make us sign again what may still land.
        """
        signatures = [transaction.signature for transaction in sent]
        _, statuses = await self._statuses(signatures)
        if all(statuses):
            return [NodeReport(status) for status in statuses]
        root = await self.root()
        heights = [transaction.last_valid_height for transaction in sent]
        if all(status or height >= root.height for height, status in zip(heights, statuses, strict=True)):
            return [NodeReport(status) for status in statuses]
        slot, statuses = await self._statuses(signatures)
        return [
            NodeReport(status, expired=status is None and slot >= root.slot and root.height > height)
            for height, status in zip(heights, statuses, strict=True)
        ]

    async def logs(self, signature: Signature) -> tuple[str, ...]:
        """Returns what the programs logged in a transaction; empty when the chain does not know it (yet)."""
        meta = await self._meta(signature)
        return tuple(meta.log_messages or ()) if meta else ()

    async def compute_units(self, signature: Signature) -> int | None:
        """Returns the compute units that a transaction used; None when the chain does not know it (yet)."""
        meta = await self._meta(signature)
        return None if meta is None else meta.compute_units_consumed

    async def _meta(self, signature: Signature) -> Any:
        response = await self.call(
            self.rpc.get_transaction(signature, commitment=Confirmed, max_supported_transaction_version=0)
        )
        return response.value.transaction.meta if response.value else None

    async def wait(
        self, transaction: SignedTransaction, *, until: Level = "finalized", timeout_s: float = 60, poll_s: float = 0.05
    ) -> Status:
        """Polls until the transaction has reached the level; `finalized` takes a quorum of the nodes.

        Raises:
            ProgramError, TransactionFailedError: it is on the chain, and failed.
            BlockhashExpiredError: it is not on the chain and never will be.
            NotYetFinalError: ``timeout_s`` has passed.
        """
        deadline = time.monotonic() + timeout_s
        sent = SentTransaction(transaction.signature, transaction.last_valid_height)
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
        response = await self.call(self.rpc.get_signature_statuses([signature], search_transaction_history=True))
        value = response.value[0]
        if value is None or value.err is None:
            raise status.error
        raise from_transaction_error(value.err, await self.logs(signature))

    async def run(
        self,
        instructions: Sequence[Instruction],
        signers: Sequence[Keypair],
        *,
        price_micro_lamports: int = 0,
        until: Level = "finalized",
    ) -> Status:
        """Prepares, sends and waits, for what may be sent twice; a step's signature is stored before it is sent.

        Raises:
            ProgramError, TransactionFailedError: it failed.
            BlockhashExpiredError, NotYetFinalError, ChainUnreachableError: as ``send`` and ``wait``.
        """
        transaction = await self.prepare(instructions, signers, price_micro_lamports=price_micro_lamports)
        await self.send(transaction)
        return await self.wait(transaction, until=until)


def _status(value: Any) -> Status:
    level = "processed" if value.confirmation_status is None else _LEVELS[int(value.confirmation_status)]
    error = None if value.err is None else from_transaction_error(value.err, ())
    return Status(value.slot, level, error)
