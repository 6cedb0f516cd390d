//! Adopts the token accounts that receive the charges, as governance has decided.
use crate::{errors::TradingError, events::PayeesAdopted, state::Market};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenAccount;
use governance::state::{Action, Payees, Proposal};

#[derive(Accounts)]
pub struct AdoptPayees<'info> {
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The executed proposal of governance.
    pub proposal: Box<Account<'info, Proposal>>,
    /// Payee of the wheeling charges; the three may be the same.
    pub wheeling: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Payee of the platform charges.
    pub platform: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Payee of the loss charges.
    pub loss: Box<InterfaceAccount<'info, TokenAccount>>,
}

impl AdoptPayees<'_> {
    /// Fails for a token account that the market owns: it would keep the charges for ever.
    fn validate(&self, now_s: i64) -> Result<()> {
        require!(self.proposal.is_executed(now_s), TradingError::NotDecided);
        let Action::ChangePayees(decided) = &self.proposal.action else {
            return err!(TradingError::NotDecided);
        };
        let given = Payees {
            wheeling: self.wheeling.key(),
            platform: self.platform.key(),
            loss: self.loss.key(),
        };
        require!(given == *decided, TradingError::NotDecidedAccount);
        let currency = self.market.load()?.currency_mint;
        let suitable =
            |account: &TokenAccount| account.mint == currency && account.owner != self.market.key();
        require!(
            suitable(&self.wheeling) && suitable(&self.platform) && suitable(&self.loss),
            TradingError::UnsuitablePayee
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        accounts.validate(Clock::get()?.unix_timestamp)?;
        let proposal_index = accounts.proposal.index;
        let payees = [
            accounts.wheeling.key(),
            accounts.platform.key(),
            accounts.loss.key(),
        ];
        accounts
            .market
            .load_mut()?
            .adopt_payees(payees, proposal_index)?;
        emit!(PayeesAdopted {
            wheeling: payees[0],
            platform: payees[1],
            loss: payees[2],
            proposal_index,
        });
        Ok(())
    }
}
