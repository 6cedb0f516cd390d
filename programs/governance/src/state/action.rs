//! Actions: what the authority set can decide.
use super::{AttestorSet, AuthoritySet, Params, RateSet, VoteRules};
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

/// Approvals that reassigning a meter needs at least: two, even where the threshold is one.
const MIN_METER_APPROVALS: u8 = 2;

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Pause the opening of settlements, or resume it. Takes effect at once.
    SetPause(bool),
    /// Schedule rates, to be in force after the time lock.
    ScheduleRates(RateSet),
    /// Set the time lock: seconds between a decision and its effect.
    SetTimeLock(i64),
    /// Set how participants vote.
    SetVoteRules(VoteRules),
    /// Change the authority set; the new one accepts by `accept_authority`.
    ChangeAuthority(AuthoritySet),
    /// Change the attestors; the new ones accept by the oracle's `adopt_attestors`.
    ChangeAttestors(AttestorSet),
    /// Change the registrar; the new one accepts by the registry's `adopt_registrar`.
    ChangeRegistrar(Pubkey),
    /// Change a meter's owner, by the registry's `reassign_meter`.
    ReassignMeter(MeterOwner),
    /// Upgrade a program's code, by `upgrade`.
    Upgrade(NewCode),
    /// Change a program's upgrade authority, or have none, by `change_upgrade_authority`.
    ChangeUpgradeAuthority(NewUpgradeAuthority),
    /// Agree to a text, given by its SHA-256. Has no effect on chain.
    Resolve([u8; 32]),
    /// Change the settler, who accepts by trading's `adopt_settler`. At once: a stolen key must be replaced quickly.
    ChangeSettler(Pubkey),
    /// Change the token accounts that receive the charges, by trading's `adopt_payees`.
    ChangePayees(Payees),
}

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterOwner {
    /// The meter's account in the registry.
    pub meter: Pubkey,
    /// The wallet of the participant who gets it.
    pub owner: Pubkey,
}

/// Token accounts of the currency that receive the charges.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payees {
    pub wheeling: Pubkey,
    pub platform: Pubkey,
    pub loss: Pubkey,
}

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewCode {
    /// The program's address.
    pub program: Pubkey,
    /// SHA-256 of the new .so file.
    pub code_hash: [u8; 32],
}

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewUpgradeAuthority {
    /// The program's address.
    pub program: Pubkey,
    /// Who may replace its code, None for nobody, for ever.
    pub authority: Option<Pubkey>,
}

impl Action {
    /// Whether it is executed only after the time lock. The others take effect at once, or name their time themselves.
    pub fn needs_time_lock(&self) -> bool {
        !matches!(
            self,
            Self::SetPause(_)
                | Self::ScheduleRates(_)
                | Self::ChangeAttestors(_)
                | Self::ChangeSettler(_)
                | Self::Resolve(_)
        )
    }

    /// Least number of approvals, whatever the threshold.
    pub fn min_approvals(&self) -> u8 {
        match self {
            Self::ReassignMeter(_) => MIN_METER_APPROVALS,
            _ => 1,
        }
    }

    /// Whether participants can vote on it: on what they pay, how they vote, and any text.
    pub fn is_votable(&self) -> bool {
        matches!(
            self,
            Self::ScheduleRates(_) | Self::SetVoteRules(_) | Self::Resolve(_)
        )
    }

    pub fn invariant(&self) -> Result<()> {
        match self {
            Self::ScheduleRates(rates) => rates.invariant(),
            Self::SetTimeLock(time_lock_s) => Params::require_time_lock(*time_lock_s),
            Self::SetVoteRules(rules) => rules.invariant(),
            Self::ChangeAuthority(set) => set.invariant(),
            Self::ChangeAttestors(set) => set.invariant(),
            Self::ChangeRegistrar(key) | Self::ChangeSettler(key) => require_nonzero(key),
            Self::ChangePayees(payees) => {
                let keys = [payees.wheeling, payees.platform, payees.loss];
                keys.iter().try_for_each(require_nonzero)
            }
            Self::ReassignMeter(change) => require_nonzero(&change.owner),
            Self::ChangeUpgradeAuthority(change) => {
                change.authority.iter().try_for_each(require_nonzero)
            }
            Self::SetPause(_) | Self::Upgrade(_) | Self::Resolve(_) => Ok(()),
        }
    }
}

fn require_nonzero(key: &Pubkey) -> Result<()> {
    require_keys_neq!(*key, Pubkey::default(), GovernanceError::InvalidKey);
    Ok(())
}
