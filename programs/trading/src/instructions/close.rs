//! Closes a settlement whose lines are those committed to: moves the charges to the vaults and burns the energy.
use crate::{
    errors::TradingError,
    events::SettlementClosed,
    state::{Charges, IntervalSettlement, Market},
    tokens::{burn_energy, pay_out},
};
use anchor_lang::prelude::*;
use anchor_spl::{
    token_2022::Token2022,
    token_interface::{Mint, TokenAccount, TransferChecked},
};
use energy_token::{cpi::accounts::BurnInterval, program::EnergyToken, state::MintedInterval};
use shared::Micros;

#[derive(Accounts)]
pub struct Close<'info> {
    /// The market's settler key.
    pub settler: Signer<'info>,
    #[account(
        mut,
        has_one = currency_mint @ TradingError::WrongCurrency,
        has_one = pool @ TradingError::WrongPool,
        has_one = wheeling_vault @ TradingError::WrongVault,
        has_one = platform_vault @ TradingError::WrongVault,
        has_one = loss_vault @ TradingError::WrongVault
    )]
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub settlement: AccountLoader<'info, IntervalSettlement>,
    pub currency_mint: Box<InterfaceAccount<'info, Mint>>,
    #[account(mut)]
    pub pool: Box<InterfaceAccount<'info, TokenAccount>>,
    /// CHECK: the market names it; the token program checks that it is of the currency.
    #[account(mut)]
    pub wheeling_vault: UncheckedAccount<'info>,
    /// CHECK: the market names it; the token program checks that it is of the currency.
    #[account(mut)]
    pub platform_vault: UncheckedAccount<'info>,
    /// CHECK: the market names it; the token program checks that it is of the currency.
    #[account(mut)]
    pub loss_vault: UncheckedAccount<'info>,
    /// The interval's minted energy.
    #[account(mut)]
    pub minted: Box<Account<'info, MintedInterval>>,
    #[account(mut)]
    pub energy_state: Box<Account<'info, energy_token::state::State>>,
    /// CHECK: energy_token's state names it, and energy_token compares.
    #[account(mut)]
    pub energy_mint: UncheckedAccount<'info>,
    /// CHECK: energy_token's state names it, and energy_token compares.
    #[account(mut)]
    pub energy_pool: UncheckedAccount<'info>,
    pub energy_program: Program<'info, EnergyToken>,
    pub token_program: Program<'info, Token2022>,
}

impl<'info> Close<'info> {
    fn validate(&self) -> Result<()> {
        self.market.load()?.require_settler(self.settler.key)?;
        require!(
            self.minted.start_s == self.settlement.load()?.start_s,
            TradingError::WrongInterval
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        accounts.validate()?;
        let charges = accounts.book()?;
        let bump = accounts.market.load()?.bump;
        accounts.pay_charges(&charges, bump)?;
        burn_energy(accounts.burn(), bump)?;
        accounts.pool.reload()?;
        let market = accounts.market.load()?;
        Ok(market.invariant(accounts.pool.amount)?)
    }

    fn book(&self) -> Result<Charges> {
        let mut settlement = self.settlement.load_mut()?;
        let mut market = self.market.load_mut()?;
        let now_s = Clock::get()?.unix_timestamp;
        let charges = settlement.close(now_s, &mut market.crediting_starts_s)?;
        let total = charges.total()?;
        market.move_charges_to_vaults(total)?;
        emit!(SettlementClosed {
            start_s: settlement.start_s,
            line_count: settlement.line_count,
            bought_wh: settlement.bought_wh,
            charges_micros: total.0,
        });
        Ok(charges)
    }

    fn pay_charges(&self, charges: &Charges, bump: u8) -> Result<()> {
        self.pay(&self.wheeling_vault, charges.wheeling, bump)?;
        self.pay(&self.platform_vault, charges.platform, bump)?;
        self.pay(&self.loss_vault, charges.loss, bump)
    }

    #[inline(never)]
    fn pay(&self, vault: &UncheckedAccount<'info>, amount: Micros, bump: u8) -> Result<()> {
        let accounts = TransferChecked {
            from: self.pool.to_account_info(),
            mint: self.currency_mint.to_account_info(),
            to: vault.to_account_info(),
            authority: self.market.to_account_info(),
        };
        pay_out(self.token_program.key(), accounts, bump, amount.0)
    }

    fn burn(&self) -> BurnInterval<'info> {
        BurnInterval {
            trading_authority: self.market.to_account_info(),
            state: self.energy_state.to_account_info(),
            minted: self.minted.to_account_info(),
            mint: self.energy_mint.to_account_info(),
            pool: self.energy_pool.to_account_info(),
            token_program: self.token_program.to_account_info(),
        }
    }
}
