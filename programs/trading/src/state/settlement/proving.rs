//! Proof of a single line against a settlement's commitment.
use super::{status, IntervalSettlement};
use crate::{
    errors::{ensure, RuleResult, TradingError},
    state::Line,
};
use anchor_lang::prelude::Pubkey;
use shared::merkle::{climb, Hash};

impl IntervalSettlement {
    /// Fails unless this is the wallet's line, number `line_index` of those committed to. No line of a settlement
    /// counts that was aborted or closed empty.
    pub fn require_committed(
        &self,
        line: &Line,
        line_index: u32,
        wallet: &Pubkey,
        path: &[Hash],
    ) -> RuleResult<()> {
        ensure(
            matches!(self.status, status::OPEN | status::CLOSED),
            TradingError::NoLinesCount,
        )?;
        let mut leaf = [0; 32];
        line.leaf_into(&mut leaf, self.start_s, line_index, wallet);
        ensure(
            climb(&leaf, line_index, self.line_count, path) == Some(self.lines_root),
            TradingError::NotCommittedLine,
        )
    }

    /// Whether nothing of it can change any more.
    pub fn is_final(&self) -> bool {
        self.status == status::CLOSED
    }
}
