//! How participants vote on what is put to them.
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

const MIN_DURATION_S: i64 = 86_400;
const MAX_DURATION_S: i64 = 30 * 86_400;

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoteRules {
    /// Whether the vote decides; otherwise it advises, and the members decide after it.
    pub binding: bool,
    /// Votes that a decision needs, in percent of the active participants.
    pub quorum_percent: u8,
    /// How long a vote is open, 1 to 30 days.
    pub duration_s: i64,
}

impl VoteRules {
    /// Until the authority set decides otherwise: a week, a fifth of all, advice.
    pub const FIRST: Self = Self {
        binding: false,
        quorum_percent: 20,
        duration_s: 7 * 86_400,
    };

    pub fn invariant(&self) -> Result<()> {
        require!(
            (1..=100).contains(&self.quorum_percent)
                && (MIN_DURATION_S..=MAX_DURATION_S).contains(&self.duration_s),
            GovernanceError::InvalidVoteRules
        );
        Ok(())
    }
}
