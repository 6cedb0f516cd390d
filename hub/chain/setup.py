"""Sets the chain up, step by step and only what is missing: programs' first accounts, participants, gateways, meters.

Every step looks first, so that it can run again after any interruption; each returns whether it did something.
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
_PARALLEL = 8


class ProgramsDifferError(ConfigError):
    """The chain runs other programs than this version of the hub was made for."""

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
    """A wallet that trades: what it gets in the demo currency, what it deposits, and its first mandate."""

    wallet: Keypair
    funds_micros: int
    deposit_micros: int
    mandate: trading.Mandate


async def check_programs(chain: ChainClient) -> None:
    """Compares the deployed programs with ours.

    Raises:
        ProgramsDifferError: one is missing or another build.
    """
    found = [(await chain.raw_accounts([pdas.program_data(name)]))[0] for name in NAMES]
    for name, account in zip(NAMES, found, strict=True):
        if account is None:
            raise ProgramsDifferError(
                f"{chain.url} does not run {name} ({PROGRAM_IDS[name]}): deploy the programs first, with "
                f"`peerwatt-hub chain deploy --url {chain.url}`, or correct the URL. Nothing was sent"
            )
        if account.data[PROGRAM_DATA_HEADER:].rstrip(b"\0") != program_binary(name).rstrip(b"\0"):
            raise ProgramsDifferError(program_differs(chain.url, name))


def program_differs(url: str, name: str) -> str:
    """What to say of another build of a program."""
    return (
        f"{url} runs another build of {name}: upgrade it, or use the version of the hub that made this chain "
        f"(`peerwatt-hub chain status --url {url}` shows the hashes). Nothing was sent"
    )


async def ensure_genesis(chain: ChainClient, keys: Bootstrap, *, rates: Rates, interval_s: int) -> list[str]:
    """Founds the five programs and the currency, and hands the code to governance; the names of the steps that were not
    done before.

    Raises:
        ProgramsDifferError: the chain runs other programs.
        ChainError kinds of hub.chain.errors: a step failed; running it again goes on from there.
    """
    await check_programs(chain)
    payer, upgrade = keys.fee_payer.pubkey(), keys.upgrade_authority.pubkey()
    members = [one.pubkey() for one in keys.members]
    attestors = [one.pubkey() for one in keys.attestors]
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
    done = ["currency"] if await ensure_currency(chain, keys) else []
    for name, address, make in steps:
        if not await _exists(chain, address):
            await chain.run([make()], [keys.fee_payer, keys.upgrade_authority], until="confirmed")
            done.append(name)
    return [*done, "hand-over"] if await ensure_hand_over(chain, keys) else done


async def ensure_hand_over(chain: ChainClient, keys: Bootstrap) -> bool:
    """Puts the programs' code into governance's hands, once all are founded: founding asks for the key before."""
    found = [(await chain.raw_accounts([pdas.program_data(name)]))[0] for name in NAMES]
    ours = keys.upgrade_authority.pubkey()
    held = [
        name
        for name, account in zip(NAMES, found, strict=True)
        if account is not None and account.data[_AUTHORITY] == bytes(ours)
    ]
    if not held:
        return False
    made = [loader.hand_over(name, ours) for name in held]
    await chain.run(made, [keys.fee_payer, keys.upgrade_authority], until="confirmed")
    return True


async def ensure_currency(chain: ChainClient, keys: Bootstrap) -> bool:
    """The currency's mint."""
    if await _exists(chain, keys.mint):
        return False
    rent = await chain.rent(token.MINT_BYTES)
    made = token.create_mint(keys.fee_payer.pubkey(), keys.mint, keys.mint_authority.pubkey(), rent)
    await chain.run(made, [keys.fee_payer, keys.currency_mint], until="confirmed")
    return True


async def ensure_participants(chain: ChainClient, keys: Bootstrap, wallets: Sequence[Keypair]) -> int:
    """Registers the wallets that are not yet participants; how many those were. Each wallet signs."""
    missing = await _missing(chain, [pdas.participant(one.pubkey()) for one in wallets])
    payer, registrar = keys.fee_payer.pubkey(), keys.registrar.pubkey()

    async def register(wallet: Keypair) -> None:
        made = registry.register_participant(payer, registrar, wallet.pubkey())
        await chain.run([made], [keys.fee_payer, keys.registrar, wallet], until="confirmed")

    return await _each([wallets[at] for at in missing], register)


async def ensure_gateways(chain: ChainClient, keys: Bootstrap, gateway_ids: Sequence[str]) -> int:
    """Registers the gateways that are not yet known; how many those were."""
    missing = await _missing(chain, [pdas.gateway(one) for one in gateway_ids])

    async def register(gateway_id: str) -> None:
        made = registry.register_gateway(keys.fee_payer.pubkey(), keys.registrar.pubkey(), gateway_id)
        await chain.run([made], [keys.fee_payer, keys.registrar], until="confirmed")

    return await _each([gateway_ids[at] for at in missing], register)


async def ensure_gateway_key(
    chain: ChainClient, keys: Bootstrap, gateway_id: str, key: Pubkey, valid_from_s: int
) -> bool:
    """Registers a key that a gateway signs its frames with; False when it is known already."""
    if await _exists(chain, pdas.gateway_key(key)):
        return False
    made = registry.add_gateway_key(keys.fee_payer.pubkey(), keys.registrar.pubkey(), gateway_id, key, valid_from_s)
    await chain.run([made], [keys.fee_payer, keys.registrar], until="confirmed")
    return True


async def ensure_meters(chain: ChainClient, keys: Bootstrap, meters: Sequence[MeterEntry]) -> int:
    """Registers the meters that are not yet known; how many those were. Owners and gateways must be registered."""
    missing = await _missing(chain, [pdas.meter(one.meter_id) for one in meters])

    async def register(meter: MeterEntry) -> None:
        made = registry.register_meter(
            keys.fee_payer.pubkey(),
            keys.registrar.pubkey(),
            meter_id=meter.meter_id,
            owner=meter.owner,
            gateway_id=meter.gateway_id,
            kind=meter.kind,
            rated_power_w=meter.rated_power_w,
            serial_hash=sha256(meter.serial.encode()).digest(),
        )
        await chain.run([made], [keys.fee_payer, keys.registrar], until="confirmed")

    return await _each([meters[at] for at in missing], register)


async def ensure_traders(chain: ChainClient, keys: Bootstrap, traders: Sequence[Trader]) -> int:
    """Opens the accounts of those who have none, with funds, deposit and mandate in one transaction that the wallet
    signs: either all of it happened, or nothing. How many those were. Who trades is a participant first."""
    await ensure_participants(chain, keys, [one.wallet for one in traders])
    missing = await _missing(chain, [pdas.account(one.wallet.pubkey()) for one in traders])

    async def begin(trader: Trader) -> None:
        made = first_deposit(keys, trader)
        await chain.run(made, [keys.fee_payer, keys.mint_authority, trader.wallet], until="confirmed")

    return await _each([traders[at] for at in missing], begin)


def first_deposit(keys: Bootstrap, trader: Trader) -> list[Instruction]:
    """Demo currency for a wallet, its account, deposit and mandate; signed by fee payer, mint authority and wallet."""
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
    found = await chain.raw_accounts(addresses)
    return [at for at, account in enumerate(found) if account is None]


async def _each(items: Sequence[T], job: Callable[[T], Awaitable[None]]) -> int:
    """Runs the job for all items, a few at a time; the first failure ends all."""
    turn = asyncio.Semaphore(_PARALLEL)

    async def one(item: T) -> None:
        async with turn:
            await job(item)

    try:
        async with asyncio.TaskGroup() as group:
            for item in items:
                group.create_task(one(item))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return len(items)
