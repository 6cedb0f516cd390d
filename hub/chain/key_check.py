"""Compares the keys at hand with those that a chain's first accounts name, before anything is signed with them."""

from typing import Any

from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.errors import ConfigError


class WrongKeyError(ConfigError):
    """A key file holds a good key, but not the one that the chain knows."""

    code = "wrong_key"


def require_key(url: str, what: str, file: str, ours: Pubkey, known: Pubkey) -> None:
    """Compares one key.

    Raises:
        WrongKeyError: they differ.
    """
    if ours != known:
        raise WrongKeyError(
            f"{file} holds {ours}, and {what} on {url} is {known}: put that key's file there, or correct the URL. "
            "Nothing was sent"
        )


async def check_founders(chain: ChainClient, keys: Bootstrap) -> None:
    """Whoever goes on with a founding must hold the keys that it was begun with.

    Raises:
        WrongKeyError: an account that is there names another key.
    """
    market, registry, oracle, authority = await read_first_accounts(chain)
    if market is not None:
        require_key(chain.url, "the currency", "currency_mint.json", keys.mint, market.currency_mint)
        require_key(chain.url, "the settler", "settler.json", keys.settler.pubkey(), market.settler)
    if registry is not None:
        require_key(chain.url, "the registrar", "registrar.json", keys.registrar.pubkey(), registry.registrar)
    if oracle is not None:
        for key, known in zip(keys.attestors, oracle.attestors, strict=False):
            require_key(chain.url, "the attestor", "attestor.json", key.pubkey(), known)
    if authority is not None:
        validator = keys.members[0].pubkey()
        require_key(chain.url, "the REC validator", "rec_validator.json", validator, authority.rec_validator)


async def read_first_accounts(chain: ChainClient) -> tuple[Any | None, Any | None, Any | None, Any | None]:
    """trading.Market, registry.Config, oracle.Config and governance.Authority; None = not founded yet."""
    return (
        await chain.account("trading", "Market", pdas.market()),
        await chain.account("registry", "Config", pdas.registry_config()),
        await chain.account("oracle", "Config", pdas.oracle_config()),
        await chain.account("governance", "Authority", pdas.governance_authority()),
    )
