//! A vote of the participants on a proposal.
use super::VoteRules;
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// Whether the vote decides; the rules at its opening hold to its end.
    pub binding: bool,
    /// Votes that a decision needs, in percent of `eligible_voters`.
    pub quorum_percent: u8,
    /// Number of active participants at the opening.
    pub eligible_voters: u32,
    /// Time of the opening, in Unix seconds; participants registered later have no vote.
    pub opened_at_s: i64,
    /// End of the vote, exclusive, in Unix seconds.
    pub ends_at_s: i64,
    pub yes_votes: u32,
    pub no_votes: u32,
}

impl Poll {
    pub fn open(rules: VoteRules, eligible_voters: u32, now_s: i64) -> Result<Self> {
        require!(eligible_voters > 0, GovernanceError::NoVoters);
        Ok(Self {
            binding: rules.binding,
            quorum_percent: rules.quorum_percent,
            eligible_voters,
            opened_at_s: now_s,
            ends_at_s: now_s
                .checked_add(rules.duration_s)
                .ok_or(GovernanceError::Overflow)?,
            yes_votes: 0,
            no_votes: 0,
        })
    }

    /// Counts a vote of a participant who was registered at Unix second `registered_at_s`.
    pub fn count_vote(&mut self, yes: bool, registered_at_s: i64, now_s: i64) -> Result<()> {
        require!(now_s < self.ends_at_s, GovernanceError::VoteOver);
        require!(
            registered_at_s < self.opened_at_s,
            GovernanceError::RegisteredTooLate
        );
        let side = if yes {
            &mut self.yes_votes
        } else {
            &mut self.no_votes
        };
        *side = side.checked_add(1).ok_or(GovernanceError::Overflow)?;
        Ok(())
    }

    /// Whether enough have voted, and more of them for it than against it.
    pub fn passed(&self) -> bool {
        let votes = u64::from(self.yes_votes) + u64::from(self.no_votes);
        let quorum = u64::from(self.eligible_voters) * u64::from(self.quorum_percent);
        self.yes_votes > self.no_votes && votes * 100 >= quorum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(eligible_voters: u32, yes_votes: u32, no_votes: u32) -> Poll {
        let poll = Poll::open(VoteRules::INITIAL, eligible_voters, 0).unwrap();
        Poll {
            yes_votes,
            no_votes,
            ..poll
        }
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
        assert!(open.count_vote(true, -1, open.ends_at_s).is_err());
        assert!(open.count_vote(true, 0, 1).is_err());
        open.count_vote(true, -1, open.ends_at_s - 1).unwrap();
        open.count_vote(false, -1, 1).unwrap();
        assert_eq!((open.yes_votes, open.no_votes), (1, 1));
    }

    #[test]
    fn nobody_to_vote_is_no_vote() {
        assert!(Poll::open(VoteRules::INITIAL, 0, 0).is_err());
    }
}
