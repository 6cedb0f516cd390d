"""Checks, before a worker sends anything: the right chain, programs and keys, a clock that is not behind, and money.

The rounds call it each time, and `peerwatt-hub doctor` too. Each error says what to do; nothing is sent meanwhile.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from solana.rpc.commitment import Finalized
from solana.rpc.types import DataSliceOpts
from solders.hash import Hash

from hub.chain import pdas, repository
from hub.chain.accounts import fixed_size
from hub.chain.client import ChainClient
from hub.chain.clock import MAX_BEHIND_S, seconds_behind
from hub.chain.deployment import LAMPORTS_PER_SIGNATURE, require_funds
from hub.chain.errors import ChainUnreachableError
from hub.chain.key_check import WrongKeyError, require_key
from hub.chain.loader import PROGRAM_DATA_HEADER, decode_program_data
from hub.chain.programs import NAMES
from hub.chain.setup import check_programs
from hub.chain.transactions import MAX_COMPUTE_UNITS
from hub.clock import Clock, at_ms
from hub.errors import ConfigError, HubError, PermanentError, RetryableError
from hub.postgres.db import Pool
from hub.settlement.keys import SettlementKeys
from hub.settlement.steps.repository import StepRow


class OtherChainError(ConfigError):
    """An RPC node serves another chain than the one that this hub's intervals settle on."""

    code = "other_chain"


class ClockBehindError(PermanentError):
    """This machine's clock is behind the chain's: an interval that has ended would seem to lie ahead."""

    code = "clock_behind"


@dataclass
class Preflight:
    """The checks of one process. It reads the programs' code, which is large, only when a program was upgraded."""

    _checked_slots: tuple[int, ...] = ()
    """The slots in which the programs that were checked last were deployed."""

    async def check_before_reading(self, pool: Pool, chain: ChainClient) -> None:
        """Checks that this is the hub's chain; does nothing when the chain does not answer.

        Raises:
            OtherChainError: a node serves another chain.
        """
        with contextlib.suppress(ChainUnreachableError):
            await check_genesis(pool, chain)

    async def check_before_sending(self, pool: Pool, clock: Clock, chain: ChainClient, keys: SettlementKeys) -> int:
        """Checks all but the money; the first chain that passes becomes this hub's.

        Returns how many accounts the market has.

        Raises:
            OtherChainError: a node serves another chain.
            ProgramsDifferError: the chain has other programs.
            WrongKeyError: a key file holds another key than the programs know.
            ClockBehindError: this machine's clock is behind.
            RetryableError: the programs have not been set up, or the chain does not answer.
        """
        known = await check_genesis(pool, chain)
        await self._check_programs(chain)
        accounts = await check_keys(chain, keys)
        await check_clock(chain, clock)
        if not known:
            async with pool.acquire() as connection:
                genesis = bytes(await chain.genesis_hash())
                await repository.remember_genesis(connection, genesis, at_ms(clock.now_ms()))
            await check_genesis(pool, chain)
        return accounts

    async def _check_programs(self, chain: ChainClient) -> None:
        """Reads the headers only; an upgrade changes the slot in a program's header."""
        header = DataSliceOpts(offset=0, length=PROGRAM_DATA_HEADER)
        addresses = [pdas.program_data(name) for name in NAMES]
        answer = await chain.call(chain.rpc.get_multiple_accounts(addresses, data_slice=header))
        deployed = [None if account is None else decode_program_data(account.data) for account in answer.value]
        slots = tuple(-1 if program is None else program.slot for program in deployed)
        if -1 in slots or slots != self._checked_slots:
            await check_programs(chain)
            self._checked_slots = slots


async def check_genesis(pool: Pool, chain: ChainClient) -> bool:
    """Compares each node's genesis with the stored one; returns False when none is stored yet.

    A node that does not answer is left out; it does not count in a quorum either.

    Raises:
        OtherChainError: a node serves another chain.
        ChainUnreachableError: no node answers.
    """
    async with pool.acquire() as connection:
        known = await repository.known_genesis(connection)
    answers = await chain.ask_each_node(lambda view: view.genesis_hash())
    served = {node: answer for node, answer in zip(chain.nodes, answers, strict=True) if isinstance(answer, Hash)}
    if not served:
        raise next(answer for answer in answers if isinstance(answer, HubError))
    expected = Hash(known) if known is not None else next(iter(served.values()))
    for node, genesis in served.items():
        if genesis != expected:
            raise OtherChainError(_other_chain(node.url, genesis, expected, known=known is not None))
    return known is not None


def _other_chain(url: str, genesis: Hash, expected: Hash, *, known: bool) -> str:
    hubs = f"this hub's intervals settle on {expected}" if known else f"the first node serves {expected}"
    return (
        f"{url} serves the chain with genesis {genesis}, and {hubs}: set rpc_url (PEERWATT_HUB_RPC_URL) and "
        "more_rpc_urls (PEERWATT_HUB_MORE_RPC_URLS) to nodes of that chain; a new chain needs a new database. "
        "Nothing was sent"
    )


async def check_keys(chain: ChainClient, keys: SettlementKeys) -> int:
    """Compares the keys that sign with those that the programs know; returns how many accounts the market has.

    Raises:
        WrongKeyError: a file holds another key.
        RetryableError: the programs have not been set up, or the chain does not answer.
    """
    market = await chain.account("trading", "Market", pdas.market(), commitment=Finalized)
    oracle = await chain.account("oracle", "Config", pdas.oracle_config(), commitment=Finalized)
    if market is None or oracle is None:
        raise RetryableError(
            f"{chain.url} has our programs, and nothing founded yet: run `peerwatt-hub chain deploy --url {chain.url}` "
            "where the founders' keys are. Nothing was sent"
        )
    require_key(chain.url, "the settler", "settler.json", keys.settler.pubkey(), market.settler)
    unknown = [key.pubkey() for key in keys.attestors if key.pubkey() not in oracle.attestors]
    if unknown:
        raise WrongKeyError(
            f"attestor.json holds {unknown[0]}, and the attestors on {chain.url} are "
            f"{', '.join(map(str, oracle.attestors))}: put one of those keys there. Nothing was sent"
        )
    return int(market.account_count)


async def check_clock(chain: ChainClient, clock: Clock) -> None:
    """Compares this machine's clock with the chain's.

    Raises:
        ClockBehindError: this machine's clock is behind by more than ``MAX_BEHIND_S``.
        ChainUnreachableError: the chain does not answer.
    """
    behind_s = await seconds_behind(chain, clock)
    if behind_s > MAX_BEHIND_S:
        raise ClockBehindError(
            f"This machine's clock is {behind_s} s behind the chain's at {chain.url}: synchronise it "
            "(`timedatectl set-ntp true`); it goes on by itself then. Nothing was sent"
        )


async def check_funds(
    chain: ChainClient, keys: SettlementKeys, steps: Sequence[StepRow], accounts: int, price_micro_lamports: int
) -> None:
    """Compares the fee payer's balance with the most that an interval's planned steps cost: fees and rent.

    ``accounts`` is how many accounts the market has, ``price_micro_lamports`` the most that is paid per compute unit.

    Raises:
        FeePayerEmptyError: the balance is less.
        ChainUnreachableError: the chain does not answer.
    """
    planned = [step for step in steps if step.state == "planned"]
    if not planned:
        return
    need = sum(max_fee_lamports(step, len(keys.attestors), price_micro_lamports) for step in planned)
    for size in new_account_bytes([step.kind for step in steps], [step.kind for step in planned], accounts):
        need += await chain.rent(size)
    await require_funds(chain, keys.fee_payer, need, "the next interval's settlement")


def max_fee_lamports(step: StepRow, attestors: int, price_micro_lamports: int) -> int:
    """Returns the most that the step's transaction costs in lamports, with this priority fee per compute unit."""
    signatures = 1 + attestors if step.kind == "attest" else 2
    return signatures * LAMPORTS_PER_SIGNATURE + -(-(MAX_COMPUTE_UNITS * price_micro_lamports) // 10**6)


def new_account_bytes(kinds: Sequence[str], planned: Sequence[str], accounts: int) -> list[int]:
    """Returns the sizes of the accounts that an interval's planned steps create; ``kinds`` are all its steps."""
    settlement = fixed_size("trading", "IntervalSettlement")
    sizes = {
        "attest": fixed_size("oracle", "Interval"),
        "mint": fixed_size("energy_token", "MintedInterval"),
        # a bit for each account of the market
        "open": settlement + (accounts + 7) // 8,
    }
    if "open" not in kinds:
        sizes["close"] = settlement
    return [sizes[kind] for kind in planned if kind in sizes]
