//! Hands the settling over: governance has decided on the key, and whoever holds it accepts. What has begun goes on.
use crate::{errors::TradingError, events::SettlerAdopted, state::Market};
use anchor_lang::prelude::*;
use governance::state::{Action, Proposal};

#[derive(Accounts)]
pub struct AdoptSettler<'info> {
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Governance's decision.
    pub proposal: Box<Account<'info, Proposal>>,
    /// The decided key.
    pub new_settler: Signer<'info>,
}

impl AdoptSettler<'_> {
    fn validate(&self, now: i64) -> Result<()> {
        require!(self.proposal.is_executed(now), TradingError::NotDecided);
        let Action::ChangeSettler(decided) = &self.proposal.action else {
            return err!(TradingError::NotDecided);
        };
        require_keys_eq!(
            *decided,
            self.new_settler.key(),
            TradingError::NotDecidedAccount
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        accounts.validate(Clock::get()?.unix_timestamp)?;
        let (settler, decision) = (accounts.new_settler.key(), accounts.proposal.index);
        accounts
            .market
            .load_mut()?
            .adopt_settler(settler, decision)?;
        emit!(SettlerAdopted { settler, decision });
        Ok(())
    }
}
