"""What must hold before a worker sends anything to the chain: its chain, our programs, right keys and clock, money.

Asked before each round; each refusal says what to do, and nothing is sent meanwhile. `peerwatt-hub doctor` asks too.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from solana.rpc.commitment import Finalized
from solana.rpc.types import DataSliceOpts
from solders.hash import Hash

from hub.chain import pdas, repository
from hub.chain.accounts import fixed_bytes
from hub.chain.client import ChainClient
from hub.chain.deployment import LAMPORTS_PER_SIGNATURE, require_funds
from hub.chain.errors import ChainUnreachableError
from hub.chain.key_check import WrongKeyError, require_key
from hub.chain.loader import PROGRAM_DATA_HEADER, read_deployed
from hub.chain.programs import NAMES
from hub.chain.setup import check_programs
from hub.chain.transactions import MAX_COMPUTE_UNITS
from hub.clock import Clock, at_ms
from hub.errors import ConfigError, HubError, PermanentError, RetryableError
from hub.postgres.db import Pool
from hub.settlement.keys import SettlementKeys
from hub.settlement.steps.repository import StepRow

MAX_BEHIND_S = 30
"""As far as an embedded ledger lets its own clock be off; Solana's clusters stay closer to the time of day."""


class OtherChainError(ConfigError):
    """The RPC node serves another chain than the one that this hub's intervals settle on."""

    code = "other_chain"


class ClockBehindError(PermanentError):
    """This machine's clock is behind the chain's, so that what ended would seem to lie ahead."""

    code = "clock_behind"


@dataclass
class Preflight:
    """One process's checks; remembers which builds it has compared, because code is large."""

    _compared: tuple[int, ...] = ()

    async def refuse_other_chain(self, pool: Pool, chain: ChainClient) -> None:
        """For rounds that read from the chain; a chain that is away is theirs to cope with.

        Raises:
            OtherChainError: the node serves another chain.
        """
        with contextlib.suppress(ChainUnreachableError):
            await same_chain(pool, chain)

    async def ready_to_send(self, pool: Pool, clock: Clock, chain: ChainClient, keys: SettlementKeys) -> int:
        """Everything but money; at first use the chain becomes this hub's. Returns how many accounts the market has.

        Raises:
            OtherChainError, ProgramsDifferError, WrongKeyError, ClockBehindError: nothing may be sent.
            RetryableError: nothing is founded yet, or the chain does not answer.
        """
        known = await same_chain(pool, chain)
        await self._check_builds(chain)
        accounts = await check_keys(chain, keys)
        await check_clock(chain, clock)
        if not known:
            async with pool.acquire() as connection:
                genesis = bytes(await chain.genesis_hash())
                await repository.remember_genesis(connection, genesis, at_ms(clock.now_ms()))
            await same_chain(pool, chain)
        return accounts

    async def _check_builds(self, chain: ChainClient) -> None:
        """An upgrade changes the slot that the loader keeps, so that the code is read once."""
        head = DataSliceOpts(offset=0, length=PROGRAM_DATA_HEADER)
        addresses = [pdas.program_data(name) for name in NAMES]
        answer = await chain.ask(chain.rpc.get_multiple_accounts(addresses, data_slice=head))
        found = [None if one is None else read_deployed(one.data) for one in answer.value]
        slots = tuple(-1 if one is None else one.slot for one in found)
        if -1 in slots or slots != self._compared:
            await check_programs(chain)
            self._compared = slots


async def same_chain(pool: Pool, chain: ChainClient) -> bool:
    """Compares each node's genesis with the one that this hub has seen; False when it has seen none yet.

    A node that does not answer is no reason to wait: it has no say in a quorum either.

    Raises:
        OtherChainError: one of them serves another chain.
        ChainUnreachableError: none of them answers.
    """
    async with pool.acquire() as connection:
        known = await repository.known_genesis(connection)
    answers = await chain.everywhere(lambda view: view.genesis_hash())
    served = {node: one for node, one in zip(chain.nodes, answers, strict=True) if isinstance(one, Hash)}
    if not served:
        raise next(one for one in answers if isinstance(one, HubError))
    first = Hash(known) if known is not None else next(iter(served.values()))
    for node, found in served.items():
        if found != first:
            raise OtherChainError(_other_chain(node.url, found, first, known=known is not None))
    return known is not None


def _other_chain(url: str, found: Hash, first: Hash, *, known: bool) -> str:
    whose = f"this hub's intervals settle on {first}" if known else f"the first node serves {first}"
    return (
        f"{url} serves the chain with genesis {found}, and {whose}: set rpc_url (PEERWATT_HUB_RPC_URL) and "
        "more_rpc_urls (PEERWATT_HUB_MORE_RPC_URLS) to nodes of that chain; a new chain needs a new database. "
        "Nothing was sent"
    )


async def check_keys(chain: ChainClient, keys: SettlementKeys) -> int:
    """Compares the keys that sign with those that the programs know; returns how many accounts the market has.

    Raises:
        WrongKeyError: a file holds another key.
        RetryableError: nothing is founded yet.
    """
    market = await chain.account("trading", "Market", pdas.market(), commitment=Finalized)
    oracle = await chain.account("oracle", "Config", pdas.oracle_config(), commitment=Finalized)
    if market is None or oracle is None:
        raise RetryableError(
            f"{chain.url} has our programs, and nothing founded yet: run `peerwatt-hub chain deploy --url {chain.url}` "
            "where the founders' keys are. Nothing was sent"
        )
    require_key(chain.url, "the settler", "settler.json", keys.settler.pubkey(), market.settler)
    ours = [key.pubkey() for key in keys.attestors]
    strangers = [key for key in ours if key not in oracle.attestors]
    if strangers:
        raise WrongKeyError(
            f"attestor.json holds {strangers[0]}, and the attestors on {chain.url} are "
            f"{', '.join(map(str, oracle.attestors))}: put one of those keys there. Nothing was sent"
        )
    return int(market.account_count)


async def check_clock(chain: ChainClient, clock: Clock) -> None:
    """Compares this machine's clock with the chain's.

    Raises:
        ClockBehindError: ours is behind.
    """
    answer = await chain.ask(chain.rpc.get_slot(Finalized))
    theirs_s = await chain.block_time_s(answer.value)
    behind_s = 0 if theirs_s is None else theirs_s - clock.now_ms() // 1000
    if behind_s > MAX_BEHIND_S:
        raise ClockBehindError(
            f"This machine's clock is {behind_s} s behind the chain's at {chain.url}: synchronise it "
            "(`timedatectl set-ntp true`); it goes on by itself then. Nothing was sent"
        )


async def check_funds(
    chain: ChainClient, keys: SettlementKeys, steps: Sequence[StepRow], accounts: int, price_micro_lamports: int
) -> None:
    """Compares the fee payer's balance with what an interval's open steps take at most.

    Raises:
        FeePayerEmptyError: it has less.
    """
    waiting = [step for step in steps if step.state == "planned"]
    if not waiting:
        return
    need = sum(fee_lamports(step, len(keys.attestors), price_micro_lamports) for step in waiting)
    for size in room_bytes([step.kind for step in steps], [step.kind for step in waiting], accounts):
        need += await chain.rent(size)
    await require_funds(chain, keys.fee_payer, need, "the next interval's settlement")


def fee_lamports(step: StepRow, attestors: int, price_micro_lamports: int) -> int:
    """The most that the step's transaction costs, with the priority fee that is offered."""
    signatures = 1 + attestors if step.kind == "attest" else 2
    return signatures * LAMPORTS_PER_SIGNATURE + -(-(MAX_COMPUTE_UNITS * price_micro_lamports) // 10**6)


def room_bytes(kinds: Sequence[str], waiting: Sequence[str], accounts: int) -> list[int]:
    """The sizes of the accounts that an interval's waiting steps make."""
    settlement = fixed_bytes("trading", "IntervalSettlement")
    sizes = {
        "attest": fixed_bytes("oracle", "Interval"),
        "mint": fixed_bytes("energy_token", "MintedInterval"),
        # a bit for each account of the market
        "open": settlement + (accounts + 7) // 8,
    }
    if "open" not in kinds:
        sizes["close"] = settlement
    return [sizes[kind] for kind in waiting if kind in sizes]
