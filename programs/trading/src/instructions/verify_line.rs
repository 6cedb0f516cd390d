//! Verifies that a line belongs to an interval's settlement: by simulation, or by a call from another program.
use crate::{
    errors::TradingError,
    state::{IntervalSettlement, Line},
};
use anchor_lang::prelude::*;
use shared::merkle::as_hashes;

#[derive(Accounts)]
pub struct VerifyLine<'info> {
    pub settlement: AccountLoader<'info, IntervalSettlement>,
}

impl VerifyLine<'_> {
    pub fn handle(
        ctx: Context<Self>,
        line_index: u32,
        wallet: &Pubkey,
        line: &Line,
        path: &[u8],
    ) -> Result<bool> {
        let path = as_hashes(path).ok_or(TradingError::NotCommittedLine)?;
        let settlement = ctx.accounts.settlement.load()?;
        settlement.require_committed(line, line_index, wallet, path)?;
        Ok(settlement.is_final())
    }
}
