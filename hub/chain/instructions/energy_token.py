"""Builds the energy token's instructions. Energy is burned inside the trading program's close."""

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions.idl_builder import build


def initialize(payer: Pubkey, upgrade_authority: Pubkey) -> Instruction:
    """Creates the mint and its pool; signed by payer and upgrade authority."""
    return build(
        "energy_token",
        "initialize",
        [],
        {"payer": payer, "upgrade_authority": upgrade_authority, **_mint_accounts()},
    )


def mint_interval(payer: Pubkey, start_s: int) -> Instruction:
    """Mints the export that an interval's revision 1 attests, once; signed by the payer, who may be anyone."""
    return build(
        "energy_token",
        "mint_interval",
        [],
        {
            "payer": payer,
            "interval": pdas.interval(start_s),
            "minted": pdas.minted_interval(start_s),
            **_mint_accounts(),
        },
    )


def _mint_accounts() -> dict[str, Pubkey]:
    return {"state": pdas.energy_state(), "mint": pdas.energy_mint(), "pool": pdas.energy_pool()}
