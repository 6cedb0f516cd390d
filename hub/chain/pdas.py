"""The addresses of all accounts of the five programs, derived from their seeds (each program's ``seeds.rs``)."""

from functools import lru_cache

from solders.pubkey import Pubkey

from hub.chain.programs import PROGRAM_IDS

UPGRADEABLE_LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")


@lru_cache(maxsize=16_384)
def _find(program: str, *seeds: bytes) -> Pubkey:
    return Pubkey.find_program_address(list(seeds), PROGRAM_IDS[program])[0]


def _i64(value: int) -> bytes:
    return value.to_bytes(8, "little", signed=True)


@lru_cache(maxsize=16)
def program_data(program: str) -> Pubkey:
    """Where the upgradeable loader keeps a program's code and upgrade authority."""
    return Pubkey.find_program_address([bytes(PROGRAM_IDS[program])], UPGRADEABLE_LOADER)[0]


def governance_authority() -> Pubkey:
    return _find("governance", b"authority")


def governance_params() -> Pubkey:
    return _find("governance", b"params")


def governance_pause() -> Pubkey:
    return _find("governance", b"pause")


def governance_proposal(index: int) -> Pubkey:
    return _find("governance", b"proposal", index.to_bytes(8, "little"))


def governance_vote(index: int, wallet: Pubkey) -> Pubkey:
    """A participant's vote on a proposal."""
    return _find("governance", b"vote", index.to_bytes(8, "little"), bytes(wallet))


def governance_upgrader() -> Pubkey:
    """The programs' upgrade authority, for which governance signs; it holds no data."""
    return _find("governance", b"upgrader")


def registry_config() -> Pubkey:
    return _find("registry", b"config")


def participant(wallet: Pubkey) -> Pubkey:
    return _find("registry", b"participant", bytes(wallet))


def gateway(gateway_id: str) -> Pubkey:
    return _find("registry", b"gateway", gateway_id.encode())


def gateway_key(key: Pubkey) -> Pubkey:
    """A signing key belongs to one gateway, so its account is found by the key alone."""
    return _find("registry", b"gateway_key", bytes(key))


def meter(meter_id: str) -> Pubkey:
    return _find("registry", b"meter", meter_id.encode())


def oracle_config() -> Pubkey:
    return _find("oracle", b"config")


def interval(start_s: int, revision: int = 1) -> Pubkey:
    """The attested interval, by its start in Unix seconds."""
    return _find("oracle", b"interval", _i64(start_s), revision.to_bytes(2, "little"))


def energy_state() -> Pubkey:
    return _find("energy_token", b"state")


def energy_mint() -> Pubkey:
    return _find("energy_token", b"mint")


def energy_pool() -> Pubkey:
    return _find("energy_token", b"pool")


def minted_interval(start_s: int) -> Pubkey:
    return _find("energy_token", b"minted", _i64(start_s))


def certificate(meter_id: str, start_s: int) -> Pubkey:
    """The certificate of what a meter has exported in an interval; there is at most one."""
    return _find("energy_token", b"certificate", bytes(meter(meter_id)), _i64(start_s))


def certificate_holding(certificate: Pubkey, number: int) -> Pubkey:
    """A part of a certificate; number 0 is the producer's first."""
    return _find("energy_token", b"holding", bytes(certificate), number.to_bytes(4, "little"))


def cancellation(holding: Pubkey) -> Pubkey:
    """In whose favour a holding was cancelled."""
    return _find("energy_token", b"cancellation", bytes(holding))


def market() -> Pubkey:
    return _find("trading", b"market")


def currency_pool() -> Pubkey:
    return _find("trading", b"pool")


def vault(name: str) -> Pubkey:
    """The vault of a charge: wheeling, platform or loss."""
    return _find("trading", b"vault", name.encode())


def account(wallet: Pubkey) -> Pubkey:
    """A participant's money in the trading program."""
    return _find("trading", b"account", bytes(wallet))


def settlement(start_s: int) -> Pubkey:
    return _find("trading", b"settlement", _i64(start_s))
