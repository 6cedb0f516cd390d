//! Adopts the settler that governance has decided, who accepts by signing. Open settlements go on.
use crate::{errors::TradingError, events::SettlerAdopted, state::Market};
use anchor_lang::prelude::*;
use governance::state::{Action, Proposal};

#[derive(Accounts)]
pub struct AdoptSettler<'info> {
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The executed proposal of governance.
    pub proposal: Box<Account<'info, Proposal>>,
    /// The key that the proposal names.
    pub new_settler: Signer<'info>,
}

impl AdoptSettler<'_> {
    fn validate(&self, now_s: i64) -> Result<()> {
        require!(self.proposal.is_executed(now_s), TradingError::NotDecided);
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
        let (settler, proposal_index) = (accounts.new_settler.key(), accounts.proposal.index);
        accounts
            .market
            .load_mut()?
            .adopt_settler(settler, proposal_index)?;
        emit!(SettlerAdopted {
            settler,
            proposal_index
        });
        Ok(())
    }
}
