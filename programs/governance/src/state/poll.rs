//! A vote of the participants on a proposal.
use super::VoteRules;
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// Whether it decides; the rules of its beginning hold to its end.
    pub binding: bool,
    /// Votes that a decision needs, in percent of `eligible`.
    pub quorum_percent: u8,
    /// Active participants when it was opened.
    pub eligible: u32,
    /// Unix time. Who was registered later has no vote.
    pub opened_at: i64,
    /// First unix second without voting.
    pub ends_at: i64,
    pub yes: u32,
    pub no: u32,
}

impl Poll {
    pub fn open(rules: VoteRules, eligible: u32, now: i64) -> Result<Self> {
        require!(eligible > 0, GovernanceError::NoVoters);
        Ok(Self {
            binding: rules.binding,
            quorum_percent: rules.quorum_percent,
            eligible,
            opened_at: now,
            ends_at: now
                .checked_add(rules.duration_s)
                .ok_or(GovernanceError::Overflow)?,
            yes: 0,
            no: 0,
        })
    }

    /// Counts a vote of somebody who was registered at this time.
    pub fn count(&mut self, yes: bool, registered_at: i64, now: i64) -> Result<()> {
        require!(now < self.ends_at, GovernanceError::VoteOver);
        require!(
            registered_at < self.opened_at,
            GovernanceError::RegisteredTooLate
        );
        let side = if yes { &mut self.yes } else { &mut self.no };
        *side = side.checked_add(1).ok_or(GovernanceError::Overflow)?;
        Ok(())
    }

    /// Whether enough have voted, and more of them for it than against it.
    pub fn passed(&self) -> bool {
        let votes = u64::from(self.yes) + u64::from(self.no);
        let quorum = u64::from(self.eligible) * u64::from(self.quorum_percent);
        self.yes > self.no && votes * 100 >= quorum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(eligible: u32, yes: u32, no: u32) -> Poll {
        let poll = Poll::open(VoteRules::FIRST, eligible, 0).unwrap();
        Poll { yes, no, ..poll }
    }

    #[test]
    fn it_takes_a_fifth_and_a_majority() {
        assert!(poll(10, 2, 0).passed());
        assert!(!poll(11, 2, 0).passed());
        assert!(poll(10, 3, 2).passed());
        assert!(!poll(10, 2, 2).passed());
        assert!(!poll(1, 0, 0).passed());
        assert!(poll(u32::MAX, u32::MAX, 0).passed());
    }

    #[test]
    fn it_ends_at_its_second_and_knows_who_came_later() {
        let mut open = poll(10, 0, 0);
        assert!(open.count(true, -1, open.ends_at).is_err());
        assert!(open.count(true, 0, 1).is_err());
        open.count(true, -1, open.ends_at - 1).unwrap();
        open.count(false, -1, 1).unwrap();
        assert_eq!((open.yes, open.no), (1, 1));
    }

    #[test]
    fn nobody_to_vote_is_no_vote() {
        assert!(Poll::open(VoteRules::FIRST, 0, 0).is_err());
    }
}
