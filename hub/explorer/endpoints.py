"""Endpoints of the explorer, for every signed-in user; they show only what any RPC node answers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from solders.pubkey import Pubkey
from solders.signature import Signature

from hub.accounts.access import ACCESS_ERRORS, Human
from hub.explorer.schemas import (
    AddressPath,
    AddressQuery,
    BeforeQuery,
    ChainAccount,
    ChainBlock,
    ChainHead,
    ChainPrograms,
    SignaturePath,
    TransactionDetail,
    TransactionPage,
)
from hub.explorer.service import Explorer
from hub.http.context import provided
from hub.http.problems import MALFORMED, ApiError, NotFoundError, refusals

MAX_TRANSACTIONS = 100


class ChainAwayError(ApiError):
    """The hub's RPC node does not answer."""

    status, title, code = 503, "Not possible right now", "chain_unreachable"


class NotBase58Error(ApiError):
    """An address or a signature has the right letters but not the right length."""

    status, title, code = 422, "Malformed request", "not_base58"


def _explorer(request: Request) -> Explorer:
    return provided(request, Explorer)


ChainExplorer = Annotated[Explorer, Depends(_explorer)]

router = APIRouter(prefix="/chain", tags=["chain"], responses={**refusals(*ACCESS_ERRORS, ChainAwayError), **MALFORMED})


@router.get("/head", operation_id="getChainHead", summary="Where the chain stands")
async def head(_: Human, explorer: ChainExplorer) -> ChainHead:
    """Returns the newest and the finalized slot, the block height and the chain's own time."""
    return await explorer.head()


@router.get("/programs", operation_id="listChainPrograms", summary="The five programs, compared with the published")
async def programs(_: Human, explorer: ChainExplorer) -> ChainPrograms:
    """Returns hash, upgrade authority and first accounts of each program; at most a minute old."""
    return await explorer.programs()


@router.get(
    "/accounts/{address}",
    operation_id="getChainAccount",
    summary="One account, decoded by the IDL",
    responses=refusals(NotFoundError),
)
async def account(_: Human, explorer: ChainExplorer, address: AddressPath) -> ChainAccount:
    """Returns any account of the chain; with its fields if it is one of our programs' or a token's."""
    return await explorer.account(_address(address))


@router.get("/transactions", operation_id="listChainTransactions", summary="Transactions, newest first")
async def transactions(
    _: Human,
    explorer: ChainExplorer,
    address: AddressQuery = None,
    before: BeforeQuery = None,
    limit: Annotated[int, Query(ge=1, le=MAX_TRANSACTIONS, description="At most this many items")] = 25,
) -> TransactionPage:
    """Returns the transactions that name an address, page by page; without one the newest of our five programs."""
    return await explorer.transactions(
        None if address is None else _address(address), None if before is None else _signature(before), limit
    )


@router.get(
    "/transactions/{signature}",
    operation_id="getChainTransaction",
    summary="One transaction with instructions, logs and compute units",
    responses=refusals(NotFoundError),
)
async def transaction(_: Human, explorer: ChainExplorer, signature: SignaturePath) -> TransactionDetail:
    """Returns instructions with their names in the IDL, and an error with the program's own name for it."""
    return await explorer.transaction(_signature(signature))


@router.get("/blocks/{slot}", operation_id="getChainBlock", summary="One block", responses=refusals(NotFoundError))
async def block(_: Human, explorer: ChainExplorer, slot: Annotated[int, Path(ge=0, lt=2**53)]) -> ChainBlock:
    """Returns a block's hash, its parent and the signatures of its transactions."""
    return await explorer.block(slot)


def _address(text: str) -> Pubkey:
    try:
        return Pubkey.from_string(text)
    except ValueError as error:
        raise NotBase58Error(f"{text} is not 32 bytes in base58: copy the whole address") from error


def _signature(text: str) -> Signature:
    try:
        return Signature.from_string(text)
    except ValueError as error:
        raise NotBase58Error(f"{text[:16]}... is not 64 bytes in base58: copy the whole signature") from error
