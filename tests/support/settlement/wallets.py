"""Payments, raw JSON-RPC calls and token accounts on any Solana node."""

import json
from typing import Any

import httpx
import spl.token.instructions as spl
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from solders.transaction import Transaction
from spl.token.constants import TOKEN_PROGRAM_ID

from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.instructions import registry
from hub.chain.transactions import SignedTransaction

CALL = {"jsonrpc": "2.0", "id": 7}


def payment(payer: Keypair, to: Pubkey, lamports: int, blockhash: Hash) -> Transaction:
    """Returns a signed payment that is not sent."""
    instruction = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=lamports))
    return Transaction([payer], Message([instruction], payer.pubkey()), blockhash)


async def paid(chain: ChainClient, payer: Keypair, to: Pubkey, lamports: int = 10**7) -> Signature:
    """Pays and waits until the payment is final; returns its signature."""
    instruction = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=lamports))
    signed = await chain.prepare([instruction], [payer])
    await chain.send(signed)
    await chain.wait(signed)
    return signed.signature


async def send_refused_registration(chain: ChainClient, keys: Bootstrap) -> SignedTransaction:
    """Sends a registration that no registrar signed, past preflight, so that the program refuses it on the chain."""
    stranger, wallet = Keypair(), Keypair()
    registration = registry.register_participant(keys.fee_payer.pubkey(), stranger.pubkey(), wallet.pubkey())
    signed = await chain.prepare([registration], [keys.fee_payer, stranger, wallet], compute_limit=200_000)
    await chain.send(signed, preflight=False)
    return signed


async def raw_call(url: str, body: Any) -> Any:
    """Posts a body, which may be one that no client sends, and returns the decoded answer."""
    async with httpx.AsyncClient(headers={"Content-Type": "application/json"}, timeout=30) as http:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return (await http.post(url, content=content)).json()


class Tokens:
    """A mint with three decimals, and two accounts on it: 1,500 units of a user's, 20 of another's."""

    def __init__(self, chain: ChainClient, payer: Keypair) -> None:
        self._chain = chain
        self._payer = payer
        self.mint, self.user = Keypair(), Keypair()
        self.held, self.other = Keypair(), Keypair()
        self.delegate = Keypair().pubkey()

    async def make(self) -> None:
        payer, program, mint = self._payer.pubkey(), TOKEN_PROGRAM_ID, self.mint.pubkey()
        mint_params = spl.InitializeMintParams(3, program, mint, payer, None)
        instructions = [await self._space(self.mint, 82), spl.initialize_mint(mint_params)]
        for account, owner, units in ((self.held, self.user.pubkey(), 1500), (self.other, payer, 20)):
            account_params = spl.InitializeAccountParams(program, account.pubkey(), mint, owner)
            instructions += [await self._space(account, 165), spl.initialize_account(account_params)]
            instructions.append(spl.mint_to(spl.MintToParams(program, mint, account.pubkey(), payer, units)))
        approval = spl.ApproveParams(program, self.held.pubkey(), self.delegate, self.user.pubkey(), 7)
        instructions.append(spl.approve(approval))
        await self._chain.run(instructions, [self._payer, self.mint, self.held, self.other, self.user])

    async def _space(self, account: Keypair, size: int) -> Any:
        rent = (await self._chain.rpc.get_minimum_balance_for_rent_exemption(size)).value
        return create_account(
            CreateAccountParams(
                from_pubkey=self._payer.pubkey(),
                to_pubkey=account.pubkey(),
                lamports=rent,
                space=size,
                owner=TOKEN_PROGRAM_ID,
            )
        )
