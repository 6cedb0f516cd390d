//! Mints an attested interval's valid export, or nothing when it was attested too late. The account that it creates
//! prevents a second mint.
use crate::{
    errors::EnergyError,
    events::IntervalMinted,
    seeds,
    state::{MintedInterval, State},
};
use anchor_lang::prelude::*;
use anchor_spl::{
    token_2022::Token2022,
    token_interface::{mint_to, Mint, MintTo, TokenAccount},
};
use oracle::state::Interval;
use shared::Wh;

#[derive(Accounts)]
pub struct MintInterval<'info> {
    /// Pays rent; may be anybody.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// Revision 1 of the attested interval.
    pub interval: Box<Account<'info, Interval>>,
    #[account(
        init,
        payer = payer,
        space = 8 + MintedInterval::INIT_SPACE,
        seeds = [seeds::MINTED, &interval.start_s.to_le_bytes()],
        bump
    )]
    pub minted: Box<Account<'info, MintedInterval>>,
    #[account(
        mut,
        has_one = mint @ EnergyError::WrongMint,
        has_one = pool @ EnergyError::WrongPool
    )]
    pub state: Box<Account<'info, State>>,
    #[account(mut)]
    pub mint: Box<InterfaceAccount<'info, Mint>>,
    #[account(mut)]
    pub pool: Box<InterfaceAccount<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
    pub system_program: Program<'info, System>,
}

impl MintInterval<'_> {
    fn validate(&self) -> Result<()> {
        require!(self.interval.revision == 1, EnergyError::NotFirstRevision);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        accounts.validate()?;
        let (start_s, Wh(wh)) = (
            accounts.interval.start_s,
            MintedInterval::mintable(&accounts.interval)?,
        );
        accounts.minted.set_inner(MintedInterval {
            start_s,
            wh,
            burned: false,
            bump: ctx.bumps.minted,
        });
        accounts.state.count_minted(Wh(wh))?;
        accounts.mint_to_pool(wh)?;
        emit!(IntervalMinted { start_s, wh });
        accounts
            .state
            .invariant(accounts.mint.supply, accounts.pool.amount)
    }

    fn mint_to_pool(&mut self, wh: u64) -> Result<()> {
        if wh == 0 {
            return Ok(());
        }
        let signer: &[&[u8]] = &[seeds::STATE, &[self.state.bump]];
        let accounts = MintTo {
            mint: self.mint.to_account_info(),
            to: self.pool.to_account_info(),
            authority: self.state.to_account_info(),
        };
        let program = self.token_program.key();
        mint_to(
            CpiContext::new_with_signer(program, accounts, &[signer]),
            wh,
        )?;
        self.mint.reload()?;
        self.pool.reload()
    }
}
