"""Asks the RPC node what the explorer shows; everything it asks for is bounded, and nothing is believed or stored."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue
from solana.rpc.commitment import Confirmed, Finalized
from solders.account import Account
from solders.pubkey import Pubkey
from solders.signature import Signature

from hub.chain.client import ChainClient
from hub.chain.errors import ChainRefusedError
from hub.chain.programs import PROGRAM_IDS
from hub.chain.status import CLUSTERS, ChainStatus, read_status
from hub.clock import Clock, at_s
from hub.explorer import idl_values
from hub.explorer.names import OURS, TOKEN_2022, name_of
from hub.explorer.schemas import (
    ChainAccount,
    ChainBlock,
    ChainHead,
    ChainProgram,
    ChainPrograms,
    FirstAccount,
    TransactionDetail,
    TransactionPage,
    TransactionRow,
)
from hub.explorer.transactions import read_transaction
from hub.http.problems import NotFoundError

_SHOWN_BYTES, _MAX_BLOCK_SIGNATURES = 256, 1_000
_PROGRAMS_KEPT_MS = 60_000
"""Comparing five programs reads two megabytes from the node."""
_TOKEN_ACCOUNT_BYTES, _MINT_BYTES = 165, 82


@dataclass
class Explorer:
    """One application's way to look at the chain."""

    chain: ChainClient
    clock: Clock
    _status: ChainStatus | None = None
    _status_ms: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def head(self) -> ChainHead:
        """Slots, height and the chain's own time."""
        chain = self.chain
        genesis = str(await chain.genesis_hash())
        finalized = (await chain.ask(chain.rpc.get_slot(Finalized))).value
        seconds = await chain.block_time_s(finalized)
        return ChainHead(
            cluster=CLUSTERS.get(genesis, "private"),
            genesis_hash=genesis,
            slot=await chain.slot(),
            finalized_slot=finalized,
            block_height=await chain.block_height(),
            finalized_at=None if seconds is None else at_s(seconds),
            transactions=(await chain.ask(chain.rpc.get_transaction_count(Confirmed))).value,
        )

    async def programs(self) -> ChainPrograms:
        """The five programs; asked for at most once a minute, and once for all who wait."""
        async with self._turn:
            if self._status is None or self.clock.now_ms() >= self._status_ms + _PROGRAMS_KEPT_MS:
                self._status = await read_status(self.chain)
                self._status_ms = self.clock.now_ms()
            return _programs(self._status)

    async def account(self, address: Pubkey) -> ChainAccount:
        """One account, decoded when its owner's IDL knows it.

        Raises:
            NotFoundError: there is none at this address.
        """
        (found,) = await self.chain.raw_accounts([address])
        if found is None:
            raise NotFoundError(f"The chain has no account {address}")
        kind, fields = _decoded(found)
        return ChainAccount(
            address=str(address), owner=str(found.owner), owner_name=name_of(found.owner), lamports=found.lamports,
            executable=found.executable, data_bytes=len(found.data), data_hex=found.data[:_SHOWN_BYTES].hex(),
            kind=kind, fields=fields,
        )  # fmt: skip

    async def transactions(self, address: Pubkey | None, before: Signature | None, limit: int) -> TransactionPage:
        """Those that name an address, newest first; without one the newest that name any of our programs."""
        if address is not None:
            rows = await self._rows(address, before, limit + 1)
            last = rows[limit - 1].signature if len(rows) > limit else None
            return TransactionPage(items=rows[:limit], next_before=last)
        found = {row.signature: row for one in PROGRAM_IDS.values() for row in await self._rows(one, None, limit)}
        newest = sorted(found.values(), key=lambda row: row.slot, reverse=True)
        return TransactionPage(items=newest[:limit], next_before=None)

    async def _rows(self, address: Pubkey, before: Signature | None, limit: int) -> list[TransactionRow]:
        asked = self.chain.rpc.get_signatures_for_address(address, before, limit=limit, commitment=Confirmed)
        return [_row(one) for one in (await self.chain.ask(asked)).value]

    async def transaction(self, signature: Signature) -> TransactionDetail:
        """One transaction with instructions, logs and compute units.

        Raises:
            NotFoundError: the node does not know it.
        """
        asked = self.chain.rpc.get_transaction(
            signature, encoding="base64", commitment=Confirmed, max_supported_transaction_version=0
        )
        answer = (await self.chain.ask(asked)).value
        if answer is None:
            raise NotFoundError(f"The chain has no transaction {signature}, or the node does not keep it any more")
        (status,) = await self.chain.statuses([signature])
        return read_transaction(answer, None if status is None else status.level)

    async def block(self, slot: int) -> ChainBlock:
        """One final block with its transactions' signatures.

        Raises:
            NotFoundError: the slot was skipped, is not final yet, or the node does not keep it.
        """
        try:
            block: Any = (await self.chain.ask(self.chain.rpc.get_block(slot, "base64", 0))).value
        except ChainRefusedError as error:
            raise NotFoundError(f"There is no block in slot {slot}: {error}") from error
        if block is None:
            raise NotFoundError(f"There is no block in slot {slot}")
        held: Sequence[Any] = block.transactions or ()
        return ChainBlock(
            slot=slot, blockhash=str(block.blockhash), parent_slot=block.parent_slot,
            previous_blockhash=str(block.previous_blockhash),
            at=None if block.block_time is None else at_s(block.block_time),
            signatures=[str(one.transaction.signatures[0]) for one in held[:_MAX_BLOCK_SIGNATURES]],
        )  # fmt: skip


def _programs(status: ChainStatus) -> ChainPrograms:
    return ChainPrograms(
        items=[
            ChainProgram(
                name=one.name, address=one.address, deployed=one.deployed, matches=one.matches, sha256=one.sha256,
                published_sha256=one.published_sha256, upgrade_authority=one.upgrade_authority, slot=one.slot,
                accounts=[
                    FirstAccount(kind=first.kind, address=first.address, founded=first.founded)
                    for first in status.accounts
                    if first.program == one.name
                ],
            )
            for one in status.programs
        ]
    )  # fmt: skip


def _row(one: Any) -> TransactionRow:
    level = None if one.confirmation_status is None else str(one.confirmation_status).rpartition(".")[2].lower()
    return TransactionRow.model_validate(
        {
            "signature": str(one.signature),
            "slot": one.slot,
            "at": None if one.block_time is None else at_s(one.block_time),
            "failed": one.err is not None,
            "level": level,
        }
    )


def _decoded(account: Account) -> tuple[str | None, dict[str, JsonValue] | None]:
    ours = OURS.get(account.owner)
    if ours is not None:
        kind = idl_values.account_kind(ours, account.data)
        return kind, None if kind is None else idl_values.account_fields(ours, kind, account.data)
    if account.owner == TOKEN_2022:
        return _token(account.data)
    return None, None


def _token(data: bytes) -> tuple[str | None, dict[str, JsonValue] | None]:
    """Token accounts and mints; what extensions add stands behind these fields."""
    if len(data) >= _TOKEN_ACCOUNT_BYTES:
        mint, owner = Pubkey.from_bytes(data[:32]), Pubkey.from_bytes(data[32:64])
        return "TokenAccount", {"mint": str(mint), "owner": str(owner), "amount": _whole(data[64:72])}
    if len(data) >= _MINT_BYTES:
        return "Mint", {"supply": _whole(data[36:44]), "decimals": data[44]}
    return None, None


def _whole(raw: bytes) -> JsonValue:
    return idl_values.whole(int.from_bytes(raw, "little"))
