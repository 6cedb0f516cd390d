"""Reads what is public about intervals: final accounts and transactions from any RPC node, journals from the hub.

Gives ``facts.PublicInterval``. The node has to keep the intervals' transactions; the auditor chooses it, not the hub.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from solana.rpc.commitment import Finalized
from solders.pubkey import Pubkey
from solders.signature import Signature

from hub.audit.facts import (
    PublicInterval,
    RegisteredMeter,
    Revision,
    SettledLine,
    meter_of,
    rates_in_force,
    revision_of,
    settlement_of,
)
from hub.audit.settle_calls import SettleCall, settle_calls, settled_lines
from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.clock import rfc3339_s
from hub.errors import PermanentError, RetryableError
from hub.units import Wh

MAX_REVISIONS = 100
MAX_PAGES, PAGE = 100, 1000
"""Of transactions that name one settlement: anybody may send some that do."""

MAX_JOURNAL_BYTES = 64 * 1024 * 1024
_HUB_PATIENCE_S = 30


class HubUnreachableError(RetryableError):
    """The hub does not answer when it is asked for a journal."""

    code = "hub_unreachable"


class NoChainError(PermanentError):
    """The node runs none of our programs, or they were never founded."""

    code = "no_chain"


@dataclass(frozen=True, slots=True)
class Site:
    """What does not belong to one interval."""

    interval_s: int
    now_s: int
    params: Any
    """The decoded ``governance.Params``."""
    meters: tuple[RegisteredMeter, ...]


async def read_site(chain: ChainClient) -> Site:
    """The length of intervals, the chain's own time, the rates, and every registered meter.

    Raises:
        NoChainError: nothing was founded there.
        ChainUnreachableError: no answer.
    """
    config = await chain.account("oracle", "Config", pdas.oracle_config(), commitment=Finalized)
    params = await chain.account("governance", "Params", pdas.governance_params(), commitment=Finalized)
    slot = (await chain.call(chain.rpc.get_slot(Finalized))).value
    now_s = await chain.block_time_s(slot)
    if config is None or params is None or now_s is None:
        raise NoChainError(f"{chain.url} has no oracle and no rates: name the RPC of the chain that the hub settles on")
    meters = await chain.all_accounts("registry", "Meter", commitment=Finalized)
    return Site(config.interval_s, now_s, params, tuple(meter_of(one) for _, one in meters))


async def read_interval(
    chain: ChainClient, site: Site, start_s: int, journal: bytes | None, *, journal_asked: bool
) -> PublicInterval:
    """One interval as the chain's final state shows it.

    Raises:
        ChainUnreachableError: no answer.
    """
    minted_at = pdas.minted_interval(start_s)
    minted = await chain.account("energy_token", "MintedInterval", minted_at, commitment=Finalized)
    account = await chain.account("trading", "IntervalSettlement", pdas.settlement(start_s), commitment=Finalized)
    settlement = None if account is None else settlement_of(account)
    return PublicInterval(
        start_s=start_s,
        end_s=start_s + site.interval_s,
        now_s=site.now_s,
        revisions=await read_revisions(chain, start_s),
        minted_wh=None if minted is None else Wh(minted.wh),
        settlement=settlement,
        lines=() if settlement is None or not settlement.cursor else await _read_lines(chain, start_s),
        rates=rates_in_force(site.params, start_s),
        meters=site.meters,
        journal=journal,
        journal_asked=journal_asked,
    )


async def read_revisions(chain: ChainClient, start_s: int) -> tuple[Revision, ...]:
    """Every revision there is, the first first."""
    found: list[Revision] = []
    while len(found) < MAX_REVISIONS:
        address = pdas.interval(start_s, len(found) + 1)
        account = await chain.account("oracle", "Interval", address, commitment=Finalized)
        if account is None:
            break
        found.append(revision_of(account))
    return tuple(found)


async def _read_lines(chain: ChainClient, start_s: int) -> tuple[SettledLine, ...]:
    calls = [
        call
        for signature in await _signatures(chain, pdas.settlement(start_s))
        for call in await _settle_calls(chain, signature, pdas.settlement(start_s))
    ]
    named = sorted({account for call in calls for account in call.accounts})
    accounts = await chain.accounts("trading", "Account", [Pubkey(one) for one in named], commitment=Finalized)
    wallets = {name: bytes(one.wallet) for name, one in zip(named, accounts, strict=True) if one is not None}
    return settled_lines(calls, wallets)


async def _signatures(chain: ChainClient, address: Pubkey) -> list[Signature]:
    """Of all that name the address and did not fail."""
    found: list[Signature] = []
    before: Signature | None = None
    for _ in range(MAX_PAGES):
        asked = chain.rpc.get_signatures_for_address(address, before, limit=PAGE, commitment=Finalized)
        page = (await chain.call(asked)).value
        found += [one.signature for one in page if one.err is None]
        if len(page) < PAGE:
            break
        before = page[-1].signature
    return found


async def _settle_calls(chain: ChainClient, signature: Signature, settlement: Pubkey) -> list[SettleCall]:
    asked = chain.rpc.get_transaction(
        signature, encoding="base64", commitment=Finalized, max_supported_transaction_version=0
    )
    answer: Any = (await chain.call(asked)).value
    if answer is None:
        return []
    return settle_calls(answer.transaction, bytes(settlement))


async def fetch_journals(hub_url: str, starts: Sequence[int]) -> Mapping[int, bytes | None]:
    """The journals that a hub publishes, by start; None where it has none.

    Raises:
        HubUnreachableError: no answer, or none that makes sense.
    """
    found: dict[int, bytes | None] = {}
    async with httpx.AsyncClient(base_url=hub_url.rstrip("/"), timeout=_HUB_PATIENCE_S) as http:
        for start_s in starts:
            found[start_s] = await _fetch(http, start_s)
    return found


async def _fetch(http: httpx.AsyncClient, start_s: int) -> bytes | None:
    path = f"/api/v1/clearings/{rfc3339_s(start_s)}/journal"
    try:
        async with http.stream("GET", path) as answer:
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            answer.raise_for_status()
            data = bytearray()
            async for part in answer.aiter_bytes():
                data += part
                if len(data) > MAX_JOURNAL_BYTES:
                    raise HubUnreachableError(f"{http.base_url}{path} is longer than any journal: check the address")
            return bytes(data)
    except httpx.HTTPError as error:
        raise HubUnreachableError(f"{http.base_url} gives no journal ({error!r}): check --hub, or try later") from error
