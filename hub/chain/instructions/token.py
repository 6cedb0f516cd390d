"""Builds Token-2022's instructions: the currency's mint and the wallets' token accounts."""

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from spl.token.instructions import (
    MintToCheckedParams,
    create_idempotent_associated_token_account,
    get_associated_token_address,
    mint_to_checked,
)

from hub.chain.instructions.idl_builder import TOKEN_PROGRAM

CURRENCY_DECIMALS = 6
"""The smallest unit is a micro."""
MINT_BYTES = 82
_INITIALIZE_MINT2 = 20


def create_mint(payer: Pubkey, mint: Pubkey, mint_authority: Pubkey, rent_lamports: int) -> list[Instruction]:
    """Creates the currency's mint, without extensions and without a freeze authority; signed by payer and mint."""
    create = create_account(
        CreateAccountParams(
            from_pubkey=payer, to_pubkey=mint, lamports=rent_lamports, space=MINT_BYTES, owner=TOKEN_PROGRAM
        )
    )
    data = bytes([_INITIALIZE_MINT2, CURRENCY_DECIMALS]) + bytes(mint_authority) + b"\0"
    return [create, Instruction(TOKEN_PROGRAM, data, [AccountMeta(mint, is_signer=False, is_writable=True)])]


def token_account(wallet: Pubkey, mint: Pubkey) -> Pubkey:
    """Returns the address of a wallet's associated token account."""
    return get_associated_token_address(wallet, mint, TOKEN_PROGRAM)


def create_token_account(payer: Pubkey, wallet: Pubkey, mint: Pubkey) -> Instruction:
    """Creates a wallet's associated token account unless it exists; signed by payer."""
    return create_idempotent_associated_token_account(payer, wallet, mint, TOKEN_PROGRAM)


def mint_to(mint: Pubkey, wallet: Pubkey, mint_authority: Pubkey, micros: int) -> Instruction:
    """Mints currency into a wallet's token account; signed by the mint authority."""
    return mint_to_checked(
        MintToCheckedParams(
            program_id=TOKEN_PROGRAM,
            mint=mint,
            dest=token_account(wallet, mint),
            mint_authority=mint_authority,
            amount=micros,
            decimals=CURRENCY_DECIMALS,
        )
    )
