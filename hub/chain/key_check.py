"""Compares the key files with the keys that a chain's first accounts name, before anything is signed with them."""

from typing import Any

from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.errors import ConfigError


class WrongKeyError(ConfigError):
    """A key file holds a valid key, but not the one that the chain names."""

    code = "wrong_key"


def require_key(url: str, role: str, file_name: str, our_key: Pubkey, chain_key: Pubkey) -> None:
    """Compares the key in a file with the one that the chain names for this role.

    Raises:
        WrongKeyError: they differ.
    """
    if our_key != chain_key:
        raise WrongKeyError(
            f"{file_name} holds {our_key}, and {role} on {url} is {chain_key}: put that key's file there, or "
            "correct the URL. Nothing was sent"
        )


async def check_founding_keys(chain: ChainClient, keys: Bootstrap) -> None:
    """Compares all keys with the first accounts that exist: a founding goes on only with the keys that began it.

    Raises:
        WrongKeyError: an account names another key.
    """
    market, registry, oracle, authority = await read_first_accounts(chain)
    if market is not None:
        require_key(chain.url, "the currency", "currency_mint.json", keys.mint, market.currency_mint)
        require_key(chain.url, "the settler", "settler.json", keys.settler.pubkey(), market.settler)
    if registry is not None:
        require_key(chain.url, "the registrar", "registrar.json", keys.registrar.pubkey(), registry.registrar)
    if oracle is not None:
        for key, attestor in zip(keys.attestors, oracle.attestors, strict=False):
            require_key(chain.url, "the attestor", "attestor.json", key.pubkey(), attestor)
    if authority is not None:
        validator = keys.members[0].pubkey()
        require_key(chain.url, "the REC validator", "rec_validator.json", validator, authority.rec_validator)


async def read_first_accounts(chain: ChainClient) -> tuple[Any | None, Any | None, Any | None, Any | None]:
    """Returns trading.Market, registry.Config, oracle.Config and governance.Authority; None before they are founded."""
    return (
        await chain.account("trading", "Market", pdas.market()),
        await chain.account("registry", "Config", pdas.registry_config()),
        await chain.account("oracle", "Config", pdas.oracle_config()),
        await chain.account("governance", "Authority", pdas.governance_authority()),
    )
