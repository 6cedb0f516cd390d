"""Sets a chain up, only what is missing: the programs' first accounts, participants, gateways, meters, traders.

Every step reads before it sends, so that it can run again after an interruption; each returns what it did.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.bootstrap import THRESHOLD, Bootstrap
from hub.chain.client import ChainClient
from hub.chain.instructions import energy_token, governance, loader, oracle, registry, token, trading
from hub.chain.instructions.governance import Rates
from hub.chain.instructions.registry import MeterKind
from hub.chain.loader import PROGRAM_DATA_HEADER
from hub.chain.programs import NAMES, PROGRAM_IDS, program_binary
from hub.errors import ConfigError

T = TypeVar("T")

TIME_LOCK_S = 172_800
_AUTHORITY = slice(13, PROGRAM_DATA_HEADER)
_MAX_PARALLEL = 8


class ProgramsDifferError(ConfigError):
    """The chain runs other programs than this version of the hub needs."""

    code = "programs_differ"


@dataclass(frozen=True)
class MeterEntry:
    """A meter to be registered."""

    meter_id: str
    owner: Pubkey
    gateway_id: str
    kind: MeterKind
    rated_power_w: int
    serial: str


@dataclass(frozen=True)
class Trader:
    """A wallet that trades: the demo currency that it gets, its deposit, and its first mandate."""

    wallet: Keypair
    funds_micros: int
    deposit_micros: int
    mandate: trading.Mandate


async def check_programs(chain: ChainClient) -> None:
    """Compares the deployed programs with the hub's own builds.

    Raises:
        ProgramsDifferError: a program is missing or another build.
    """
    accounts = [(await chain.raw_accounts([pdas.program_data(name)]))[0] for name in NAMES]
    for name, account in zip(NAMES, accounts, strict=True):
        if account is None:
            raise ProgramsDifferError(
                f"{chain.url} does not run {name} ({PROGRAM_IDS[name]}): deploy the programs first, with "
                f"`peerwatt-hub chain deploy --url {chain.url}`, or correct the URL. Nothing was sent"
            )
        if account.data[PROGRAM_DATA_HEADER:].rstrip(b"\0") != program_binary(name).rstrip(b"\0"):
            raise ProgramsDifferError(program_differs(chain.url, name))


def program_differs(url: str, name: str) -> str:
    """Returns the error text for a program that is another build."""
    return (
        f"{url} runs another build of {name}: upgrade it, or use the version of the hub that made this chain "
        f"(`peerwatt-hub chain status --url {url}` shows the hashes). Nothing was sent"
    )


async def ensure_genesis(chain: ChainClient, keys: Bootstrap, *, rates: Rates, interval_s: int) -> list[str]:
    """Founds the five programs and the currency, and hands the code to governance; returns the names of the new steps.

    Raises:
        ProgramsDifferError: the chain runs other programs.
        errors of hub.chain.errors: a step failed; a new run goes on from there.
    """
    await check_programs(chain)
    payer, upgrade = keys.fee_payer.pubkey(), keys.upgrade_authority.pubkey()
    members = [member.pubkey() for member in keys.members]
    attestors = [attestor.pubkey() for attestor in keys.attestors]
    steps: list[tuple[str, Pubkey, Callable[[], Instruction]]] = [
        (
            "governance",
            pdas.governance_authority(),
            lambda: governance.initialize(payer, upgrade, members[0], members, THRESHOLD, rates, TIME_LOCK_S),
        ),
        (
            "registry",
            pdas.registry_config(),
            lambda: registry.initialize(payer, upgrade, keys.registrar.pubkey()),
        ),
        (
            "oracle",
            pdas.oracle_config(),
            lambda: oracle.initialize(payer, upgrade, attestors, len(attestors), interval_s),
        ),
        ("energy_token", pdas.energy_state(), lambda: energy_token.initialize(payer, upgrade)),
        (
            "trading",
            pdas.market(),
            lambda: trading.initialize(payer, upgrade, keys.mint, keys.settler.pubkey(), interval_s),
        ),
    ]
    new_steps = ["currency"] if await ensure_currency(chain, keys) else []
    for name, address, build in steps:
        if not await _exists(chain, address):
            await chain.run([build()], [keys.fee_payer, keys.upgrade_authority], until="confirmed")
            new_steps.append(name)
    return [*new_steps, "hand-over"] if await ensure_hand_over(chain, keys) else new_steps


async def ensure_hand_over(chain: ChainClient, keys: Bootstrap) -> bool:
    """Makes governance the programs' upgrade authority, once all are founded: founding needs our key.

    Returns:
        False when no program is under our upgrade authority.
    """
    accounts = [(await chain.raw_accounts([pdas.program_data(name)]))[0] for name in NAMES]
    ours = keys.upgrade_authority.pubkey()
    our_programs = [
        name
        for name, account in zip(NAMES, accounts, strict=True)
        if account is not None and account.data[_AUTHORITY] == bytes(ours)
    ]
    if not our_programs:
        return False
    instructions = [loader.hand_over(name, ours) for name in our_programs]
    await chain.run(instructions, [keys.fee_payer, keys.upgrade_authority], until="confirmed")
    return True


async def ensure_currency(chain: ChainClient, keys: Bootstrap) -> bool:
    """Creates the currency's mint; False when it exists already."""
    if await _exists(chain, keys.mint):
        return False
    rent = await chain.rent(token.MINT_BYTES)
    instructions = token.create_mint(keys.fee_payer.pubkey(), keys.mint, keys.mint_authority.pubkey(), rent)
    await chain.run(instructions, [keys.fee_payer, keys.currency_mint], until="confirmed")
    return True


async def ensure_participants(chain: ChainClient, keys: Bootstrap, wallets: Sequence[Keypair]) -> int:
    """Registers the wallets that are not yet participants, and returns their number. Each wallet signs."""
    missing = await _missing(chain, [pdas.participant(wallet.pubkey()) for wallet in wallets])
    payer, registrar = keys.fee_payer.pubkey(), keys.registrar.pubkey()

    async def register(wallet: Keypair) -> None:
        instruction = registry.register_participant(payer, registrar, wallet.pubkey())
        await chain.run([instruction], [keys.fee_payer, keys.registrar, wallet], until="confirmed")

    return await _run_for_each([wallets[index] for index in missing], register)


async def ensure_gateways(chain: ChainClient, keys: Bootstrap, gateway_ids: Sequence[str]) -> int:
    """Registers the gateways that are not registered yet, and returns their number."""
    missing = await _missing(chain, [pdas.gateway(gateway_id) for gateway_id in gateway_ids])

    async def register(gateway_id: str) -> None:
        instruction = registry.register_gateway(keys.fee_payer.pubkey(), keys.registrar.pubkey(), gateway_id)
        await chain.run([instruction], [keys.fee_payer, keys.registrar], until="confirmed")

    return await _run_for_each([gateway_ids[index] for index in missing], register)


async def ensure_gateway_key(
    chain: ChainClient, keys: Bootstrap, gateway_id: str, key: Pubkey, valid_from_s: int
) -> bool:
    """Registers a key that a gateway signs its frames with; False when it is registered already."""
    if await _exists(chain, pdas.gateway_key(key)):
        return False
    payer, registrar = keys.fee_payer.pubkey(), keys.registrar.pubkey()
    instruction = registry.add_gateway_key(payer, registrar, gateway_id, key, valid_from_s)
    await chain.run([instruction], [keys.fee_payer, keys.registrar], until="confirmed")
    return True


async def ensure_meters(chain: ChainClient, keys: Bootstrap, meters: Sequence[MeterEntry]) -> int:
    """Registers the meters that are not registered yet, and returns their number.

    Owners and gateways must be registered before.
    """
    missing = await _missing(chain, [pdas.meter(meter.meter_id) for meter in meters])

    async def register(meter: MeterEntry) -> None:
        instruction = registry.register_meter(
            keys.fee_payer.pubkey(),
            keys.registrar.pubkey(),
            meter_id=meter.meter_id,
            owner=meter.owner,
            gateway_id=meter.gateway_id,
            kind=meter.kind,
            rated_power_w=meter.rated_power_w,
            serial_hash=sha256(meter.serial.encode()).digest(),
        )
        await chain.run([instruction], [keys.fee_payer, keys.registrar], until="confirmed")

    return await _run_for_each([meters[index] for index in missing], register)


async def ensure_traders(chain: ChainClient, keys: Bootstrap, traders: Sequence[Trader]) -> int:
    """Opens the accounts of the traders that have none, and returns their number.

    Funds, account, deposit and mandate are one transaction that the wallet signs, so that all of it happens or nothing.
    Traders that are not yet participants are registered first.
    """
    await ensure_participants(chain, keys, [trader.wallet for trader in traders])
    missing = await _missing(chain, [pdas.account(trader.wallet.pubkey()) for trader in traders])

    async def open_account(trader: Trader) -> None:
        instructions = first_deposit(keys, trader)
        await chain.run(instructions, [keys.fee_payer, keys.mint_authority, trader.wallet], until="confirmed")

    return await _run_for_each([traders[index] for index in missing], open_account)


def first_deposit(keys: Bootstrap, trader: Trader) -> list[Instruction]:
    """Builds a trader's first transaction: demo currency, account, deposit and mandate.

    Signed by fee payer, mint authority and wallet.
    """
    payer, wallet = keys.fee_payer.pubkey(), trader.wallet.pubkey()
    return [
        token.create_token_account(payer, wallet, keys.mint),
        token.mint_to(keys.mint, wallet, keys.mint_authority.pubkey(), trader.funds_micros),
        trading.open_account(payer, wallet),
        trading.deposit(wallet, keys.mint, trader.deposit_micros),
        trading.set_mandate(wallet, trader.mandate),
    ]


async def _exists(chain: ChainClient, address: Pubkey) -> bool:
    return (await chain.raw_accounts([address]))[0] is not None


async def _missing(chain: ChainClient, addresses: Sequence[Pubkey]) -> list[int]:
    """Returns the indices of the addresses that hold no account."""
    accounts = await chain.raw_accounts(addresses)
    return [index for index, account in enumerate(accounts) if account is None]


async def _run_for_each(items: Sequence[T], job: Callable[[T], Awaitable[None]]) -> int:
    """Runs the job for all items, a few at a time, and returns their number; the first failure ends all."""
    semaphore = asyncio.Semaphore(_MAX_PARALLEL)

    async def run_job(item: T) -> None:
        async with semaphore:
            await job(item)

    try:
        async with asyncio.TaskGroup() as group:
            for item in items:
                group.create_task(run_job(item))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return len(items)
