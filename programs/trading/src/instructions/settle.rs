//! Settles the next lines of an interval. Every line of every interval takes this path, so its compute units count.
use crate::{
    errors::TradingError,
    events::BatchSettled,
    state::{self, IntervalSettlement, Line, Market},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct Settle<'info> {
    /// The market's settler key.
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

    pub fn handle(ctx: Context<'info, Self>, first_index: u32, lines: &[Line]) -> Result<()> {
        let parties = ctx.remaining_accounts;
        ctx.accounts.validate(lines, parties)?;
        let mut market = ctx.accounts.market.load_mut()?;
        market.require_settler(ctx.accounts.settler.key)?;
        let mut data = ctx.accounts.settlement.as_ref().try_borrow_mut_data()?;
        let (settlement, mut account_bits) = IntervalSettlement::split(&mut data)?;
        settlement.require_next(first_index)?;
        let epoch_day = settlement.epoch_day()?;
        for (line, party) in lines.iter().zip(parties) {
            let mut account = state::Account::load_for_line(party)?;
            account_bits.set(account.number)?;
            settlement.settle(
                line,
                &mut account,
                epoch_day,
                &mut market.crediting_starts_s,
            )?;
        }
        emit!(BatchSettled {
            start_s: settlement.start_s,
            first_index,
            end_index: settlement.cursor,
        });
        Ok(settlement.invariant()?)
    }
}
