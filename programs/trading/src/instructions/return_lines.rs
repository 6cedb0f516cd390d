//! Undoes settled lines of an aborted settlement, whoever brings them: they prove themselves against the settled root.
//! The last line is undone first, so going back from the last batch the escrow always suffices.
use crate::{
    errors::TradingError,
    events::LinesReturned,
    state::{self, IntervalSettlement, Line},
};
use anchor_lang::prelude::*;
use shared::merkle::Hash;

#[derive(Accounts)]
pub struct ReturnLines<'info> {
    #[account(mut)]
    pub settlement: AccountLoader<'info, IntervalSettlement>,
}

impl<'info> ReturnLines<'info> {
    pub fn handle(
        ctx: Context<'info, Self>,
        first: u32,
        lines: &[Line],
        beside: &[Hash],
    ) -> Result<()> {
        let parties = ctx.remaining_accounts;
        require!(lines.len() == parties.len(), TradingError::LineAccounts);
        let mut data = ctx.accounts.settlement.as_ref().try_borrow_mut_data()?;
        let (settlement, mut seen) = IntervalSettlement::split(&mut data)?;
        let count = u32::try_from(lines.len()).map_err(|_| TradingError::Overflow)?;
        let end = first.checked_add(count).ok_or(TradingError::Overflow)?;
        let leaves = leaves(settlement.start, first, lines, parties)?;
        settlement.require_settled(first, &leaves, beside)?;
        let day = settlement.day()?;
        for (line, party) in lines.iter().zip(parties).rev() {
            let mut account = state::Account::of_line(party)?;
            seen.unmark(account.number)?;
            settlement.undo(line, &mut account, day)?;
        }
        emit!(LinesReturned {
            start: settlement.start,
            first,
            end,
        });
        Ok(settlement.invariant()?)
    }
}

fn leaves(start: i64, first: u32, lines: &[Line], parties: &[AccountInfo]) -> Result<Vec<Hash>> {
    let mut leaves = vec![[0; 32]; lines.len()];
    for (((line, party), index), leaf) in lines.iter().zip(parties).zip(first..).zip(&mut leaves) {
        let account = state::Account::of_line(party)?;
        line.leaf_into(leaf, start, index, &account.wallet);
    }
    Ok(leaves)
}
