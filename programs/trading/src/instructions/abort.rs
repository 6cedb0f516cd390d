//! Aborts the settlement of an interval that cannot or shall not close; its lines are returned next.
use crate::{
    events::SettlementAborted,
    state::{IntervalSettlement, Market},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct Abort<'info> {
    /// The market's settler, or anybody 24 hours after the interval's end.
    pub caller: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub settlement: AccountLoader<'info, IntervalSettlement>,
}

impl Abort<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let by_settler = ctx.accounts.market.load()?.settler == ctx.accounts.caller.key();
        let mut settlement = ctx.accounts.settlement.load_mut()?;
        settlement.abort(by_settler, Clock::get()?.unix_timestamp)?;
        emit!(SettlementAborted {
            start_s: settlement.start_s,
            settled_line_count: settlement.cursor,
        });
        Ok(settlement.invariant()?)
    }
}
