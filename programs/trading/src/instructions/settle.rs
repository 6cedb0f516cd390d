//! Settles the next lines of an interval: the path that every line of every interval takes, so it counts its steps.
use crate::{
    errors::TradingError,
    events::BatchSettled,
    state::{self, IntervalSettlement, Line, Market},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct Settle<'info> {
    /// The market's settler.
    pub settler: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub settlement: AccountLoader<'info, IntervalSettlement>,
}

impl<'info> Settle<'info> {
    fn validate(&self, lines: &[Line], parties: &[AccountInfo<'info>]) -> Result<()> {
        require!(
            !lines.is_empty() && lines.len() == parties.len(),
            TradingError::LineAccounts
        );
        Ok(())
    }

    pub fn handle(ctx: Context<'info, Self>, start_index: u32, lines: &[Line]) -> Result<()> {
        let parties = ctx.remaining_accounts;
        ctx.accounts.validate(lines, parties)?;
        let mut market = ctx.accounts.market.load_mut()?;
        market.require_settler(ctx.accounts.settler.key)?;
        let mut data = ctx.accounts.settlement.as_ref().try_borrow_mut_data()?;
        let (settlement, mut seen) = IntervalSettlement::split(&mut data)?;
        settlement.require_next(start_index)?;
        let day = settlement.day()?;
        for (line, party) in lines.iter().zip(parties) {
            let mut account = state::Account::of_line(party)?;
            seen.mark(account.number)?;
            settlement.settle(line, &mut account, day, &mut market.crediting)?;
        }
        emit!(BatchSettled {
            start: settlement.start,
            first: start_index,
            end: settlement.cursor,
        });
        Ok(settlement.invariant()?)
    }
}
