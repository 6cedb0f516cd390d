"""Reads what the explorer shows from the RPC node; every request is bounded, and nothing is stored."""

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
from hub.explorer.names import OUR_PROGRAMS, TOKEN_2022, name_of
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
_PROGRAMS_CACHE_MS = 60_000
"""The comparison of the five programs reads two megabytes from the node, so it is cached."""
_TOKEN_ACCOUNT_BYTES, _MINT_BYTES = 165, 82


@dataclass
class Explorer:
    """Reads the chain for one application."""

    chain: ChainClient
    clock: Clock
    _status: ChainStatus | None = None
    _status_ms: int = 0
    _status_lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def head(self) -> ChainHead:
        """Returns slots, block height and the chain's own time."""
        chain = self.chain
        genesis = str(await chain.genesis_hash())
        finalized = (await chain.call(chain.rpc.get_slot(Finalized))).value
        block_time_s = await chain.block_time_s(finalized)
        return ChainHead(
            cluster=CLUSTERS.get(genesis, "private"),
            genesis_hash=genesis,
            slot=await chain.slot(),
            finalized_slot=finalized,
            block_height=await chain.block_height(),
            finalized_at=None if block_time_s is None else at_s(block_time_s),
            transactions=(await chain.call(chain.rpc.get_transaction_count(Confirmed))).value,
        )

    async def programs(self) -> ChainPrograms:
        """Returns the five programs; the node is asked at most once a minute, once for requests at the same time."""
        async with self._status_lock:
            if self._status is None or self.clock.now_ms() >= self._status_ms + _PROGRAMS_CACHE_MS:
                self._status = await read_status(self.chain)
                self._status_ms = self.clock.now_ms()
            return _programs(self._status)

    async def account(self, address: Pubkey) -> ChainAccount:
        """Returns one account, decoded when its owner's IDL has its type.

        Raises:
            NotFoundError: there is no account at this address.
        """
        (account,) = await self.chain.raw_accounts([address])
        if account is None:
            raise NotFoundError(f"The chain has no account {address}")
        kind, fields = _decoded(account)
        return ChainAccount(
            address=str(address), owner=str(account.owner), owner_name=name_of(account.owner),
            lamports=account.lamports, executable=account.executable, data_bytes=len(account.data),
            data_hex=account.data[:_SHOWN_BYTES].hex(), kind=kind, fields=fields,
        )  # fmt: skip

    async def transactions(self, address: Pubkey | None, before: Signature | None, limit: int) -> TransactionPage:
        """Returns transactions that name an address, or any of our programs, newest first."""
        if address is not None:
            rows = await self._rows(address, before, limit + 1)
            last = rows[limit - 1].signature if len(rows) > limit else None
            return TransactionPage(items=rows[:limit], next_before=last)
        by_signature = {
            row.signature: row for program in PROGRAM_IDS.values() for row in await self._rows(program, None, limit)
        }
        newest = sorted(by_signature.values(), key=lambda row: row.slot, reverse=True)
        return TransactionPage(items=newest[:limit], next_before=None)

    async def _rows(self, address: Pubkey, before: Signature | None, limit: int) -> list[TransactionRow]:
        request = self.chain.rpc.get_signatures_for_address(address, before, limit=limit, commitment=Confirmed)
        return [_row(entry) for entry in (await self.chain.call(request)).value]

    async def transaction(self, signature: Signature) -> TransactionDetail:
        """Returns one transaction with instructions, logs and compute units.

        Raises:
            NotFoundError: the node does not have it.
        """
        request = self.chain.rpc.get_transaction(
            signature, encoding="base64", commitment=Confirmed, max_supported_transaction_version=0
        )
        answer = (await self.chain.call(request)).value
        if answer is None:
            raise NotFoundError(f"The chain has no transaction {signature}, or the node does not keep it any more")
        (status,) = await self.chain.statuses([signature])
        return read_transaction(answer, None if status is None else status.level)

    async def block(self, slot: int) -> ChainBlock:
        """Returns one final block with its transactions' signatures.

        Raises:
            NotFoundError: the slot was skipped, is not final yet, or the node does not keep it.
        """
        try:
            block: Any = (await self.chain.call(self.chain.rpc.get_block(slot, "base64", 0))).value
        except ChainRefusedError as error:
            raise NotFoundError(f"There is no block in slot {slot}: {error}") from error
        if block is None:
            raise NotFoundError(f"There is no block in slot {slot}")
        transactions: Sequence[Any] = block.transactions or ()
        return ChainBlock(
            slot=slot, blockhash=str(block.blockhash), parent_slot=block.parent_slot,
            previous_blockhash=str(block.previous_blockhash),
            at=None if block.block_time is None else at_s(block.block_time),
            signatures=[str(entry.transaction.signatures[0]) for entry in transactions[:_MAX_BLOCK_SIGNATURES]],
        )  # fmt: skip


def _programs(status: ChainStatus) -> ChainPrograms:
    return ChainPrograms(
        items=[
            ChainProgram(
                name=program.name, address=program.address, deployed=program.deployed, matches=program.matches,
                sha256=program.sha256, published_sha256=program.published_sha256,
                upgrade_authority=program.upgrade_authority, slot=program.slot,
                accounts=[
                    FirstAccount(kind=account.kind, address=account.address, founded=account.founded)
                    for account in status.accounts
                    if account.program == program.name
                ],
            )
            for program in status.programs
        ]
    )  # fmt: skip


def _row(entry: Any) -> TransactionRow:
    level = None if entry.confirmation_status is None else str(entry.confirmation_status).rpartition(".")[2].lower()
    return TransactionRow.model_validate(
        {
            "signature": str(entry.signature),
            "slot": entry.slot,
            "at": None if entry.block_time is None else at_s(entry.block_time),
            "failed": entry.err is not None,
            "level": level,
        }
    )


def _decoded(account: Account) -> tuple[str | None, dict[str, JsonValue] | None]:
    program = OUR_PROGRAMS.get(account.owner)
    if program is not None:
        kind = idl_values.account_kind(program, account.data)
        return kind, None if kind is None else idl_values.account_fields(program, kind, account.data)
    if account.owner == TOKEN_2022:
        return _token(account.data)
    return None, None


def _token(data: bytes) -> tuple[str | None, dict[str, JsonValue] | None]:
    """Decodes token accounts and mints; the data of extensions comes after these fields."""
    if len(data) >= _TOKEN_ACCOUNT_BYTES:
        mint, owner = Pubkey.from_bytes(data[:32]), Pubkey.from_bytes(data[32:64])
        return "TokenAccount", {"mint": str(mint), "owner": str(owner), "amount": _whole(data[64:72])}
    if len(data) >= _MINT_BYTES:
        return "Mint", {"supply": _whole(data[36:44]), "decimals": data[44]}
    return None, None


def _whole(raw: bytes) -> JsonValue:
    return idl_values.whole(int.from_bytes(raw, "little"))
