//! Calls of the token program and of energy_token that several instructions make.
use crate::{seeds, state::CURRENCY_DECIMALS};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{transfer_checked, TransferChecked};
use energy_token::cpi::accounts::BurnInterval;

/// Pays `amount_micros` out of a token account that the market owns. Does nothing for 0.
pub fn pay_out<'info>(
    token_program: Pubkey,
    accounts: TransferChecked<'info>,
    market_bump: u8,
    amount_micros: u64,
) -> Result<()> {
    if amount_micros == 0 {
        return Ok(());
    }
    let signer: &[&[u8]] = &[seeds::MARKET, &[market_bump]];
    let signers = [signer];
    let context = CpiContext::new_with_signer(token_program, accounts, &signers);
    transfer_checked(context, amount_micros, CURRENCY_DECIMALS)
}

/// Burns an interval's energy in the market's name.
pub fn burn_energy(accounts: BurnInterval<'_>, market_bump: u8) -> Result<()> {
    let signer: &[&[u8]] = &[seeds::MARKET, &[market_bump]];
    let signers = [signer];
    let context = CpiContext::new_with_signer(energy_token::ID, accounts, &signers);
    energy_token::cpi::burn_interval(context)
}
