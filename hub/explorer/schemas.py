"""API models of the explorer."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, Field

from hub.http.types import Hash, Hex, UtcTime

ADDRESS = r"^[1-9A-HJ-NP-Za-km-z]{32,44}$"
SIGNATURE = r"^[1-9A-HJ-NP-Za-km-z]{64,88}$"
Address = Annotated[str, Field(pattern=ADDRESS, description="base58")]
Signature = Annotated[str, Field(pattern=SIGNATURE, description="base58")]
AddressPath = Annotated[str, Path(pattern=ADDRESS, description="An account's address, base58")]
SignaturePath = Annotated[str, Path(pattern=SIGNATURE, description="A transaction's signature, base58")]
AddressQuery = Annotated[str | None, Query(pattern=ADDRESS, description="Only those that name this address")]
BeforeQuery = Annotated[
    str | None, Query(pattern=SIGNATURE, description="`next_before` of the page before; needs an address")
]
Level = Literal["processed", "confirmed", "finalized"]


class ChainHead(BaseModel):
    """Where the chain stands."""

    cluster: str = Field(description="`mainnet-beta` and `devnet` are Solana's; every other chain is `private`")
    genesis_hash: str
    slot: int
    finalized_slot: int
    block_height: int
    finalized_at: UtcTime | None = Field(description="The chain's own time at the finalized slot")
    transactions: int = Field(description="Since the genesis")


class FirstAccount(BaseModel):
    """What a program needs before anybody can use it."""

    kind: str = Field(description="As in the IDL")
    address: Address
    founded: bool


class ChainProgram(BaseModel):
    """One of the five programs, as deployed and as published."""

    name: str
    address: Address
    deployed: bool
    matches: bool = Field(description="What is deployed is what belongs to this version of the hub")
    sha256: Hash | None = Field(description="Of the deployed code")
    published_sha256: Hash
    upgrade_authority: Address | None
    slot: int | None = Field(description="When it was deployed or upgraded last")
    accounts: list[FirstAccount]


class ChainPrograms(BaseModel):
    """All five, in the order in which they build on one another."""

    items: list[ChainProgram]


class ChainAccount(BaseModel):
    """An account; its fields when the IDL of its owner knows its kind."""

    address: Address
    owner: Address
    owner_name: str | None = Field(description="When it is one of our programs or one of Solana's")
    lamports: int
    executable: bool
    data_bytes: int
    data_hex: Hex = Field(description="The first 256 bytes")
    kind: str | None = Field(description="As in the IDL, for example `IntervalSettlement`")
    fields: dict[str, Any] | None = Field(
        description="By the IDL, names in snake_case; whole numbers beyond 2^53 as text, runs of bytes in hex"
    )


class TransactionRow(BaseModel):
    """One line of a list of transactions."""

    signature: Signature
    slot: int
    at: UtcTime | None
    failed: bool
    level: Level | None


class TransactionPage(BaseModel):
    """Newest first."""

    items: list[TransactionRow]
    next_before: Signature | None = Field(description="For the next page; null on the last, and without an address")


class NamedAddress(BaseModel):
    """An account as an instruction takes it."""

    name: str | None = Field(description="As the IDL names it in this instruction")
    address: Address
    signer: bool
    writable: bool


class TransactionInstruction(BaseModel):
    """One instruction; name and arguments when it is one of our programs'."""

    program: Address
    program_name: str | None
    name: str | None = Field(description="As in the IDL")
    args: dict[str, Any] | None
    accounts: list[NamedAddress]
    data_hex: Hex


class TransactionDetail(BaseModel):
    """A transaction with what it did."""

    signature: Signature
    slot: int
    at: UtcTime | None
    level: Level | None
    error: str | None = Field(description="With the program's own name for it")
    fee_lamports: int
    compute_units: int | None
    fee_payer: Address
    instructions: list[TransactionInstruction]
    logs: list[str] = Field(description="At most 300 lines of 400 characters")


class ChainBlock(BaseModel):
    """A block of the chain."""

    slot: int
    blockhash: str
    parent_slot: int
    previous_blockhash: str
    at: UtcTime | None
    signatures: list[Signature] = Field(description="At most 1,000")
