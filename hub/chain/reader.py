"""Reads a chain over RPC: accounts, balances, slots. solana-py's AsyncClient behind the hub's providers and errors.

A read comes from the first node that serves; ``quorum`` asks several nodes where one node's word is not enough.
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

import based58
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Commitment
from solana.rpc.core import RPCException, _ClientCore
from solana.rpc.types import MemcmpOpts
from solders.account import Account
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.rpc.errors import SendTransactionPreflightFailureMessage

from hub.chain.accounts import decode, discriminator, field_bytes
from hub.chain.error_translation import from_transaction_error
from hub.chain.errors import ChainRefusedError, ChainUnreachableError
from hub.chain.node import Failover, Node, UntypedRequest, UntypedResponse, is_unhealthy
from hub.chain.programs import PROGRAM_IDS
from hub.errors import HubError

T = TypeVar("T")

MAX_ACCOUNTS_PER_CALL = 100


class RpcClient(AsyncClient):
    """solana-py's client with one of the hub's providers in place of its own."""

    def __init__(self, provider: Node | Failover, commitment: Commitment) -> None:
        # AsyncClient's own __init__ opens an HTTP client that nobody would use
        _ClientCore.__init__(self, commitment)
        self._provider = provider  # type: ignore[assignment]  # of a provider, it uses make_request and close only

    async def call_method(self, method: str, *params: Any) -> Any:
        """Returns the result of an RPC method that solana-py lacks."""
        request: Any = UntypedRequest(method, *params)
        response: Any = await self._provider.make_request(request, UntypedResponse)
        return response.result


class ChainReader:
    """Accounts, balances and slots of one chain. Every method raises ChainUnreachableError when no node answers."""

    def __init__(self, url: str, rpc: RpcClient) -> None:
        self.url = url
        self.rpc = rpc

    async def call(self, request: Awaitable[T]) -> T:
        """Awaits a request of ``rpc`` and translates its errors.

        Raises:
            ChainUnreachableError: no node serves.
            ChainRefusedError: the node refuses the request.
            ProgramError, TransactionFailedError, BlockhashExpiredError, AlreadyProcessedError: the preflight fails.
        """
        try:
            return await request
        except RPCException as error:
            raise _hub_error(self.url, error) from error

    # -- accounts

    async def raw_accounts(
        self, addresses: Sequence[Pubkey], *, commitment: Commitment | None = None
    ) -> list[Account | None]:
        """Returns the accounts in the same order; None where there is none."""
        accounts: list[Account | None] = []
        for first in range(0, len(addresses), MAX_ACCOUNTS_PER_CALL):
            batch = list(addresses[first : first + MAX_ACCOUNTS_PER_CALL])
            accounts += (await self.call(self.rpc.get_multiple_accounts(batch, commitment=commitment))).value
        return accounts

    async def accounts(
        self, program: str, kind: str, addresses: Sequence[Pubkey], *, commitment: Commitment | None = None
    ) -> list[Any | None]:
        """Returns decoded accounts of one kind in the same order, None where there is none.

        Fields have the IDL's names in snake_case.

        Raises:
            AccountMismatchError: an account is of another kind.
        """
        accounts = await self.raw_accounts(addresses, commitment=commitment)
        return [None if account is None else decode(program, kind, account.data) for account in accounts]

    async def account(self, program: str, kind: str, address: Pubkey, *, commitment: Commitment | None = None) -> Any:
        """Returns one decoded account with the IDL's field names in snake_case, or None.

        Raises:
            AccountMismatchError: the account is of another kind.
        """
        (account,) = await self.accounts(program, kind, [address], commitment=commitment)
        return account

    async def all_accounts(
        self, program: str, kind: str, *, where: Mapping[str, Any] | None = None, commitment: Commitment | None = None
    ) -> list[tuple[Pubkey, Any]]:
        """Returns every account of one kind with its address, or those whose fields have these values (at most three).

        Raises:
            LookupError: a field has no fixed offset.
        """
        patterns = [(0, discriminator(kind))]
        patterns += [field_bytes(program, kind, field, value) for field, value in (where or {}).items()]
        filters = [MemcmpOpts(offset=offset, bytes=based58.b58encode(value).decode()) for offset, value in patterns]
        response = await self.call(
            self.rpc.get_program_accounts(
                PROGRAM_IDS[program], commitment=commitment, encoding="base64", filters=filters
            )
        )
        return [(keyed.pubkey, decode(program, kind, keyed.account.data)) for keyed in response.value]

    # -- balances

    async def lamports(self, address: Pubkey) -> int:
        """Returns an account's balance in lamports; 0 when there is no such account."""
        return int((await self.call(self.rpc.get_balance(address))).value)

    async def token_balance(self, address: Pubkey, *, commitment: Commitment | None = None) -> int:
        """Returns a token account's balance: micros of the currency, or Wh of the energy token."""
        return int((await self.call(self.rpc.get_token_account_balance(address, commitment))).value.amount)

    async def token_supply(self, mint: Pubkey, *, commitment: Commitment | None = None) -> int:
        """Returns a mint's supply: micros of the currency, or Wh of the energy token."""
        return int((await self.call(self.rpc.get_token_supply(mint, commitment))).value.amount)

    async def rent(self, size: int) -> int:
        """Returns the lamports that keep an account of ``size`` bytes for ever (rent-exempt)."""
        return int((await self.call(self.rpc.get_minimum_balance_for_rent_exemption(size))).value)

    # -- the chain itself

    async def genesis_hash(self) -> Hash:
        """Returns the genesis hash, by which one chain differs from another."""
        return (await self.call(self.rpc.get_genesis_hash())).value

    async def slot(self) -> int:
        """Returns the newest slot at the client's commitment."""
        return (await self.call(self.rpc.get_slot())).value

    async def block_height(self) -> int:
        """Returns the newest block height at the client's commitment."""
        return int((await self.call(self.rpc.get_block_height())).value)

    async def block_time_s(self, slot: int) -> int | None:
        """Returns the chain's time at a slot in Unix seconds; None when the node does not keep it."""
        return (await self.call(self.rpc.get_block_time(slot))).value


def _hub_error(url: str, refusal: RPCException) -> HubError:
    error = refusal.args[0]
    if isinstance(error, SendTransactionPreflightFailureMessage):
        return from_transaction_error(error.data.err, tuple(error.data.logs or ()))
    text = getattr(error, "message", str(error))
    if is_unhealthy(refusal):
        return ChainUnreachableError(f"The chain at {url} can not serve now: {text}")
    return ChainRefusedError(f"The chain at {url} refused the request: {text}")
