"""What an account is: its type by owner and first bytes, so that another of its type can be found."""

from collections.abc import Collection

from solders.account import Account
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM

from support.programs.attacks.shapes import discriminators
from support.programs.attacks.world import World
from support.programs.campus_chain import AUTHORITY, ORACLE, PARAMS, PAUSE, REGISTRY
from support.programs.market_chain import ENERGY_MINT, ENERGY_POOL, ENERGY_STATE, MARKET, account_address
from support.programs.svm import LOADER, PROGRAM_IDS, TOKEN_2022, program_data_address
from support.programs.upgrades import BUFFER

PROGRAM, SYSVAR, WALLET = "program", "sysvar", "wallet"
MINT_BYTES, TOKEN_ACCOUNT_BYTES = 82, 165
_SYSVARS = Pubkey.from_string("Sysvar1111111111111111111111111111111111111")
_NAMES = {address: name for name, address in PROGRAM_IDS.items()}
_LOADED = {1: "buffer", 2: PROGRAM, 3: "program data"}
_SIZES = {MINT_BYTES: "mint", TOKEN_ACCOUNT_BYTES: "token account"}


def kind_of(world: World, address: Pubkey) -> str | None:
    """The account's type; None where there is no account."""
    account = world.svm.get_account(address)
    return None if account is None else _kind(account)


def _kind(account: Account) -> str:
    if account.executable:
        return PROGRAM
    if account.owner in _NAMES:
        program = _NAMES[account.owner]
        return f"{program}.{discriminators()[program, bytes(account.data)[:8]]}"
    if account.owner == TOKEN_2022:
        return _SIZES[len(account.data)]
    if account.owner == LOADER:
        return _LOADED[bytes(account.data)[0]]
    return {SYSTEM: WALLET, _SYSVARS: SYSVAR}[account.owner]


def same_owner(world: World, address: Pubkey, kind: str, besides: Collection[Pubkey]) -> Pubkey | None:
    """An account of another type that belongs to the same program, if there is one besides these."""
    stored = world.svm.get_account(address)
    if stored is None or stored.owner == SYSTEM:
        return None
    for other in _every(world):
        account = None if other in besides else world.svm.get_account(other)
        if account is not None and account.owner == stored.owner and _kind(account) != kind:
            return other
    return None


def _every(world: World) -> list[Pubkey]:
    singles = [AUTHORITY, PARAMS, PAUSE, REGISTRY, ORACLE, ENERGY_STATE, ENERGY_MINT, ENERGY_POOL, MARKET]
    accounts = [account_address(trader.wallet) for trader in world.exchange.traders.values()]
    loaded = [program_data_address("registry"), BUFFER]
    return [*accounts, *singles, *loaded, *(address for _, address in world.others)]
