//! Rules of the participants' votes.
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

const MIN_DURATION_S: i64 = 86_400;
const MAX_DURATION_S: i64 = 30 * 86_400;

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoteRules {
    /// Whether the vote decides; otherwise it is advisory, and the members decide after it.
    pub binding: bool,
    /// Votes that a decision needs, in percent of the active participants.
    pub quorum_percent: u8,
    /// Seconds that a vote is open, 1 to 30 days.
    pub duration_s: i64,
}

impl VoteRules {
    /// Rules until the authority set decides otherwise: a week, a quorum of 20 %, advisory.
    pub const INITIAL: Self = Self {
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
