//! Returns settled lines of an aborted settlement, whoever presents them: they are proven against the settled root.
//! The last line is returned first, so that from the last batch backwards the escrow always suffices.
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
        first_index: u32,
        lines: &[Line],
        range_proof: &[Hash],
    ) -> Result<()> {
        let parties = ctx.remaining_accounts;
        require!(lines.len() == parties.len(), TradingError::LineAccounts);
        let mut data = ctx.accounts.settlement.as_ref().try_borrow_mut_data()?;
        let (settlement, mut account_bits) = IntervalSettlement::split(&mut data)?;
        let count = u32::try_from(lines.len()).map_err(|_| TradingError::Overflow)?;
        let end_index = first_index
            .checked_add(count)
            .ok_or(TradingError::Overflow)?;
        let leaves = leaves(settlement.start_s, first_index, lines, parties)?;
        settlement.require_settled(first_index, &leaves, range_proof)?;
        let epoch_day = settlement.epoch_day()?;
        for (line, party) in lines.iter().zip(parties).rev() {
            let mut account = state::Account::load_for_line(party)?;
            account_bits.clear(account.number)?;
            settlement.return_line(line, &mut account, epoch_day)?;
        }
        emit!(LinesReturned {
            start_s: settlement.start_s,
            first_index,
            end_index,
        });
        Ok(settlement.invariant()?)
    }
}

fn leaves(
    start_s: i64,
    first_index: u32,
    lines: &[Line],
    parties: &[AccountInfo],
) -> Result<Vec<Hash>> {
    let mut leaves = vec![[0; 32]; lines.len()];
    for (((line, party), index), leaf) in lines
        .iter()
        .zip(parties)
        .zip(first_index..)
        .zip(&mut leaves)
    {
        let account = state::Account::load_for_line(party)?;
        line.leaf_into(leaf, start_s, index, &account.wallet);
    }
    Ok(leaves)
}
