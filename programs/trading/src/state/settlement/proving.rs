//! What a settlement says about a single line, to whoever brings it with its proof.
use super::{status, IntervalSettlement};
use crate::{
    errors::{ensure, Ruling, TradingError},
    state::Line,
};
use anchor_lang::prelude::Pubkey;
use shared::merkle::{climb, Hash};

impl IntervalSettlement {
    /// Fails unless this is the wallet's line, number `index` of those committed to. No line of a settlement counts that
    /// was aborted or closed empty.
    pub fn require_committed(
        &self,
        line: &Line,
        index: u32,
        wallet: &Pubkey,
        path: &[Hash],
    ) -> Ruling<()> {
        ensure(
            matches!(self.status, status::OPEN | status::CLOSED),
            TradingError::NoLinesCount,
        )?;
        let mut leaf = [0; 32];
        line.leaf_into(&mut leaf, self.start, index, wallet);
        ensure(
            climb(&leaf, index, self.line_count, path) == Some(self.lines_root),
            TradingError::NotCommittedLine,
        )
    }

    /// Whether nothing of it can change any more.
    pub fn is_final(&self) -> bool {
        self.status == status::CLOSED
    }
}
