//! Creates the market, the pool behind all balances and the vaults of the charges.
use crate::{
    errors::TradingError,
    seeds,
    state::{Market, CURRENCY_DECIMALS, CURRENCY_MINT_BYTES},
};
use anchor_lang::{prelude::*, solana_program::bpf_loader_upgradeable};
use anchor_spl::{
    token_2022::Token2022,
    token_interface::{Mint, TokenAccount},
};
use governance::{state::Authority, Deployment};
use oracle::state::Config;

#[derive(Accounts)]
pub struct Initialize<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The upgrade authority: it alone may replace the program's code.
    pub upgrade_authority: Signer<'info>,
    /// The loader's ProgramData account of this program.
    #[account(
        seeds = [crate::ID.as_ref()],
        seeds::program = bpf_loader_upgradeable::ID,
        bump,
        constraint = program_data.upgrade_authority == Some(upgrade_authority.key())
            @ TradingError::NotUpgradeAuthority
    )]
    pub program_data: Account<'info, Deployment>,
    /// Governance's authority set.
    pub authority: Box<Account<'info, Authority>>,
    /// The oracle's config, which has the length of an interval.
    pub oracle_config: Box<Account<'info, Config>>,
    #[account(
        init,
        payer = payer,
        space = 8 + core::mem::size_of::<Market>(),
        seeds = [seeds::MARKET],
        bump
    )]
    pub market: AccountLoader<'info, Market>,
    #[account(mint::token_program = token_program)]
    pub currency_mint: Box<InterfaceAccount<'info, Mint>>,
    #[account(
        init,
        payer = payer,
        seeds = [seeds::POOL],
        bump,
        token::mint = currency_mint,
        token::authority = market,
        token::token_program = token_program
    )]
    pub pool: Box<InterfaceAccount<'info, TokenAccount>>,
    #[account(
        init,
        payer = payer,
        seeds = [seeds::VAULT, seeds::WHEELING],
        bump,
        token::mint = currency_mint,
        token::authority = market,
        token::token_program = token_program
    )]
    pub wheeling_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    #[account(
        init,
        payer = payer,
        seeds = [seeds::VAULT, seeds::PLATFORM],
        bump,
        token::mint = currency_mint,
        token::authority = market,
        token::token_program = token_program
    )]
    pub platform_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    #[account(
        init,
        payer = payer,
        seeds = [seeds::VAULT, seeds::LOSS],
        bump,
        token::mint = currency_mint,
        token::authority = market,
        token::token_program = token_program
    )]
    pub loss_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
    pub system_program: Program<'info, System>,
}

impl Initialize<'_> {
    /// Fails for a currency whose issuer could freeze, tax or seize what is in the pool, and so stop withdrawals.
    fn validate(&self, interval_s: u32) -> Result<()> {
        let mint = &self.currency_mint;
        require!(
            mint.decimals == CURRENCY_DECIMALS
                && mint.freeze_authority.is_none()
                && mint.to_account_info().data_len() == CURRENCY_MINT_BYTES,
            TradingError::UnsuitableCurrency
        );
        require!(
            interval_s == self.oracle_config.interval_s,
            TradingError::InvalidIntervalLength
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, settler: Pubkey, interval_s: u32) -> Result<()> {
        let accounts = ctx.accounts;
        accounts.validate(interval_s)?;
        let mut market = accounts.market.load_init()?;
        market.authority = accounts.authority.key();
        market.settler = settler;
        market.currency_mint = accounts.currency_mint.key();
        market.pool = accounts.pool.key();
        market.wheeling_vault = accounts.wheeling_vault.key();
        market.platform_vault = accounts.platform_vault.key();
        market.loss_vault = accounts.loss_vault.key();
        market.interval_s = interval_s;
        market.bump = ctx.bumps.market;
        Ok(market.require_valid_interval()?)
    }
}
