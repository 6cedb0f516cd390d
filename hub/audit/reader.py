"""Reads the public facts of intervals: final accounts and transactions from any RPC node, journals from the hub.

The auditor chooses the node, not the hub; it has to keep the intervals' transactions.
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
MAX_PAGES, PAGE_SIZE = 100, 1000
"""Limits of the list of transactions that name a settlement: anybody may send such transactions."""

MAX_JOURNAL_BYTES = 64 * 1024 * 1024
_HUB_TIMEOUT_S = 30


class HubUnreachableError(RetryableError):
    """The hub does not answer a request for a journal, or not with a journal."""

    code = "hub_unreachable"


class NoChainError(PermanentError):
    """The node's chain has none of our programs, or they were never founded."""

    code = "no_chain"


@dataclass(frozen=True, slots=True)
class Site:
    """The facts that all intervals share."""

    interval_s: int
    now_s: int
    params: Any
    """The decoded ``governance.Params``."""
    meters: tuple[RegisteredMeter, ...]


async def read_site(chain: ChainClient) -> Site:
    """Reads the intervals' length, the chain's time, governance's parameters and every registered meter.

    Raises:
        NoChainError: the programs are not founded there.
        ChainUnreachableError: no answer.
    """
    config = await chain.account("oracle", "Config", pdas.oracle_config(), commitment=Finalized)
    params = await chain.account("governance", "Params", pdas.governance_params(), commitment=Finalized)
    slot = (await chain.call(chain.rpc.get_slot(Finalized))).value
    now_s = await chain.block_time_s(slot)
    if config is None or params is None or now_s is None:
        raise NoChainError(f"{chain.url} has no oracle and no rates: name the RPC of the chain that the hub settles on")
    meters = await chain.all_accounts("registry", "Meter", commitment=Finalized)
    return Site(config.interval_s, now_s, params, tuple(meter_of(account) for _, account in meters))


async def read_interval(
    chain: ChainClient, site: Site, start_s: int, journal: bytes | None, *, journal_requested: bool
) -> PublicInterval:
    """Reads one interval from the chain's final state; the journal is passed through.

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
        journal_requested=journal_requested,
    )


async def read_revisions(chain: ChainClient, start_s: int) -> tuple[Revision, ...]:
    """Reads every revision of an interval, in ascending order."""
    revisions: list[Revision] = []
    while len(revisions) < MAX_REVISIONS:
        address = pdas.interval(start_s, len(revisions) + 1)
        account = await chain.account("oracle", "Interval", address, commitment=Finalized)
        if account is None:
            break
        revisions.append(revision_of(account))
    return tuple(revisions)


async def _read_lines(chain: ChainClient, start_s: int) -> tuple[SettledLine, ...]:
    calls = [
        call
        for signature in await _signatures(chain, pdas.settlement(start_s))
        for call in await _settle_calls(chain, signature, pdas.settlement(start_s))
    ]
    addresses = sorted({address for call in calls for address in call.accounts})
    pubkeys = [Pubkey(address) for address in addresses]
    accounts = await chain.accounts("trading", "Account", pubkeys, commitment=Finalized)
    wallets = {
        address: bytes(account.wallet)
        for address, account in zip(addresses, accounts, strict=True)
        if account is not None
    }
    return settled_lines(calls, wallets)


async def _signatures(chain: ChainClient, address: Pubkey) -> list[Signature]:
    """Returns the signatures of the transactions that name the address and did not fail."""
    signatures: list[Signature] = []
    before: Signature | None = None
    for _ in range(MAX_PAGES):
        request = chain.rpc.get_signatures_for_address(address, before, limit=PAGE_SIZE, commitment=Finalized)
        page = (await chain.call(request)).value
        signatures += [entry.signature for entry in page if entry.err is None]
        if len(page) < PAGE_SIZE:
            break
        before = page[-1].signature
    return signatures


async def _settle_calls(chain: ChainClient, signature: Signature, settlement: Pubkey) -> list[SettleCall]:
    request = chain.rpc.get_transaction(
        signature, encoding="base64", commitment=Finalized, max_supported_transaction_version=0
    )
    transaction: Any = (await chain.call(request)).value
    if transaction is None:
        return []
    return settle_calls(transaction.transaction, bytes(settlement))


async def fetch_journals(hub_url: str, starts: Sequence[int]) -> Mapping[int, bytes | None]:
    """Fetches the journals that a hub publishes, by interval start in Unix seconds; None where it has none.

    Raises:
        HubUnreachableError: no answer, an HTTP error, or more bytes than a journal can have.
    """
    journals: dict[int, bytes | None] = {}
    async with httpx.AsyncClient(base_url=hub_url.rstrip("/"), timeout=_HUB_TIMEOUT_S) as http:
        for start_s in starts:
            journals[start_s] = await _fetch(http, start_s)
    return journals


async def _fetch(http: httpx.AsyncClient, start_s: int) -> bytes | None:
    path = f"/api/v1/clearings/{rfc3339_s(start_s)}/journal"
    try:
        async with http.stream("GET", path) as response:
            if response.status_code == httpx.codes.NOT_FOUND:
                return None
            response.raise_for_status()
            data = bytearray()
            async for chunk in response.aiter_bytes():
                data += chunk
                if len(data) > MAX_JOURNAL_BYTES:
                    raise HubUnreachableError(f"{http.base_url}{path} is longer than any journal: check the address")
            return bytes(data)
    except httpx.HTTPError as error:
        raise HubUnreachableError(f"{http.base_url} gives no journal ({error!r}): check --hub, or try later") from error
