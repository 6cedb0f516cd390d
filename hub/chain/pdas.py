"""Derives the addresses (PDAs) of all accounts of the five programs from their seeds (each program's ``seeds.rs``).

Times are the interval's start in Unix seconds.
"""

from functools import lru_cache

from solders.pubkey import Pubkey

from hub.chain.programs import PROGRAM_IDS

UPGRADEABLE_LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")


@lru_cache(maxsize=16_384)
def _derive(program: str, *seeds: bytes) -> Pubkey:
    return Pubkey.find_program_address(list(seeds), PROGRAM_IDS[program])[0]


def _i64(value: int) -> bytes:
    return value.to_bytes(8, "little", signed=True)


@lru_cache(maxsize=16)
def program_data(program: str) -> Pubkey:
    """Returns a program's ProgramData address: its code and upgrade authority."""
    return Pubkey.find_program_address([bytes(PROGRAM_IDS[program])], UPGRADEABLE_LOADER)[0]


def governance_authority() -> Pubkey:
    """Returns the address of governance.Authority: the authority set."""
    return _derive("governance", b"authority")


def governance_params() -> Pubkey:
    """Returns the address of governance.Params: rates, time lock and vote rules."""
    return _derive("governance", b"params")


def governance_pause() -> Pubkey:
    """Returns the address of governance.Pause: whether settlements may open."""
    return _derive("governance", b"pause")


def governance_proposal(index: int) -> Pubkey:
    """Returns the address of proposal number ``index``."""
    return _derive("governance", b"proposal", index.to_bytes(8, "little"))


def governance_vote(index: int, wallet: Pubkey) -> Pubkey:
    """Returns the address of a participant's vote on proposal number ``index``."""
    return _derive("governance", b"vote", index.to_bytes(8, "little"), bytes(wallet))


def governance_upgrader() -> Pubkey:
    """Returns the address that is the programs' upgrade authority; governance signs for it, and it holds no data."""
    return _derive("governance", b"upgrader")


def registry_config() -> Pubkey:
    """Returns the address of registry.Config, which names the registrar."""
    return _derive("registry", b"config")


def participant(wallet: Pubkey) -> Pubkey:
    """Returns the address of a wallet's registration as a participant."""
    return _derive("registry", b"participant", bytes(wallet))


def gateway(gateway_id: str) -> Pubkey:
    """Returns the address of a gateway's registration."""
    return _derive("registry", b"gateway", gateway_id.encode())


def gateway_key(key: Pubkey) -> Pubkey:
    """Returns the address of a gateway's signing key; it depends on the key alone, which belongs to one gateway."""
    return _derive("registry", b"gateway_key", bytes(key))


def meter(meter_id: str) -> Pubkey:
    """Returns the address of a meter's registration."""
    return _derive("registry", b"meter", meter_id.encode())


def oracle_config() -> Pubkey:
    """Returns the address of oracle.Config: the attestors and the interval's length."""
    return _derive("oracle", b"config")


def interval(start_s: int, revision: int = 1) -> Pubkey:
    """Returns the address of an attested interval: revision 1 is the first attestation, later ones are corrections."""
    return _derive("oracle", b"interval", _i64(start_s), revision.to_bytes(2, "little"))


def energy_state() -> Pubkey:
    """Returns the address of energy_token.State."""
    return _derive("energy_token", b"state")


def energy_mint() -> Pubkey:
    """Returns the address of the energy token's mint; a unit is 1 Wh."""
    return _derive("energy_token", b"mint")


def energy_pool() -> Pubkey:
    """Returns the address of the token account that holds minted energy until its interval closes."""
    return _derive("energy_token", b"pool")


def minted_interval(start_s: int) -> Pubkey:
    """Returns the address of the account that says how much energy was minted for an interval."""
    return _derive("energy_token", b"minted", _i64(start_s))


def producer(wallet: Pubkey) -> Pubkey:
    """Returns the address of what a wallet owes of certificates issued to it."""
    return _derive("energy_token", b"producer", bytes(wallet))


def certificate(meter_id: str, start_s: int, number: int = 0) -> Pubkey:
    """Returns the address of a certificate of a meter's export in an interval; later revisions can add to number 0."""
    seeds = bytes(meter(meter_id)), _i64(start_s), number.to_bytes(2, "little")
    return _derive("energy_token", b"certificate", *seeds)


def certificate_holding(certificate: Pubkey, number: int) -> Pubkey:
    """Returns the address of a holding of a certificate; number 0 is the one that is issued."""
    return _derive("energy_token", b"holding", bytes(certificate), number.to_bytes(4, "little"))


def cancellation(holding: Pubkey) -> Pubkey:
    """Returns the address of the account that says for whom a holding was cancelled."""
    return _derive("energy_token", b"cancellation", bytes(holding))


def market() -> Pubkey:
    """Returns the address of trading.Market: settler, currency, charges' payees."""
    return _derive("trading", b"market")


def currency_pool() -> Pubkey:
    """Returns the address of the token account that holds all participants' money."""
    return _derive("trading", b"pool")


def vault(name: str) -> Pubkey:
    """Returns the address of the vault of a charge: wheeling, platform or loss."""
    return _derive("trading", b"vault", name.encode())


def account(wallet: Pubkey) -> Pubkey:
    """Returns the address of a participant's account in the trading program."""
    return _derive("trading", b"account", bytes(wallet))


def settlement(start_s: int) -> Pubkey:
    """Returns the address of an interval's settlement."""
    return _derive("trading", b"settlement", _i64(start_s))
