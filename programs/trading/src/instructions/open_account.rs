//! Opens the account of a wallet that the registry knows as a participant.
use crate::{
    errors::TradingError,
    events::AccountOpened,
    seeds,
    state::{self, Market},
};
use anchor_lang::prelude::*;
use registry::state::{Participant, ACTIVE};

#[derive(Accounts)]
pub struct OpenAccount<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// Owner of the account.
    pub wallet: Signer<'info>,
    /// The wallet's entry in the registry.
    #[account(has_one = wallet @ TradingError::NotParticipant)]
    pub participant: Account<'info, Participant>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    #[account(
        init,
        payer = payer,
        space = state::Account::SIZE_BYTES,
        seeds = [seeds::ACCOUNT, wallet.key().as_ref()],
        bump
    )]
    pub account: AccountLoader<'info, state::Account>,
    pub system_program: Program<'info, System>,
}

impl OpenAccount<'_> {
    fn validate(&self) -> Result<()> {
        require!(
            self.participant.status == ACTIVE,
            TradingError::NotParticipant
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let wallet = ctx.accounts.wallet.key();
        let number = ctx.accounts.market.load_mut()?.allocate_account_number()?;
        let mut account = ctx.accounts.account.load_init()?;
        account.wallet = wallet;
        account.number = number;
        account.bump = ctx.bumps.account;
        emit!(AccountOpened { wallet, number });
        Ok(())
    }
}
