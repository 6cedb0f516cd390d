//! What the authority set can decide.
use super::{AttestorSet, AuthoritySet, Params, RateSet, VoteRules};
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

/// Approvals that take a meter from its owner: two, even where one member decides everything else.
const APPROVALS_FOR_A_METER: u8 = 2;

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Stop new settlements, or allow them again. At once.
    SetPause(bool),
    /// Put rates in force, after the time lock.
    ScheduleRates(RateSet),
    /// Seconds from a decision to its effect, from then on.
    SetTimeLock(i64),
    /// How participants vote.
    SetVoteRules(VoteRules),
    /// Another authority set, which accepts by `accept_authority`.
    ChangeAuthority(AuthoritySet),
    /// Other attestors, who accept by the oracle's `adopt_attestors`.
    ChangeAttestors(AttestorSet),
    /// Another registrar, who accepts by the registry's `adopt_registrar`.
    ChangeRegistrar(Pubkey),
    /// Another owner of a meter, by the registry's `reassign_meter`.
    ReassignMeter(MeterOwner),
    /// New code of a program, by `upgrade`.
    Upgrade(NewCode),
    /// Somebody else may replace a program's code, or nobody any more, by `change_upgrade_authority`.
    ChangeUpgradeAuthority(NewUpgradeAuthority),
    /// Agree to a text, by its SHA-256. Nothing on chain follows.
    Resolve([u8; 32]),
    /// Another settler, who accepts by trading's `adopt_settler`. At once: a stolen key has to go.
    ChangeSettler(Pubkey),
    /// Where the charges go, by trading's `adopt_payees`.
    ChangePayees(Payees),
}

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterOwner {
    /// The meter's account in the registry.
    pub meter: Pubkey,
    /// The wallet of the participant who gets it.
    pub owner: Pubkey,
}

/// Token accounts of the currency.
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
    /// Whether it is carried out only after the time lock. The others take effect at once, or name the time themselves.
    pub fn waits(&self) -> bool {
        !matches!(
            self,
            Self::SetPause(_)
                | Self::ScheduleRates(_)
                | Self::ChangeAttestors(_)
                | Self::ChangeSettler(_)
                | Self::Resolve(_)
        )
    }

    /// Approvals it needs, whatever the threshold.
    pub fn least_approvals(&self) -> u8 {
        match self {
            Self::ReassignMeter(_) => APPROVALS_FOR_A_METER,
            _ => 1,
        }
    }

    /// Whether participants can vote on it: on what they pay, how they vote, and any text.
    pub fn votable(&self) -> bool {
        matches!(
            self,
            Self::ScheduleRates(_) | Self::SetVoteRules(_) | Self::Resolve(_)
        )
    }

    pub fn invariant(&self) -> Result<()> {
        match self {
            Self::ScheduleRates(rates) => rates.invariant(),
            Self::SetTimeLock(seconds) => Params::require_time_lock(*seconds),
            Self::SetVoteRules(rules) => rules.invariant(),
            Self::ChangeAuthority(set) => set.invariant(),
            Self::ChangeAttestors(set) => set.invariant(),
            Self::ChangeRegistrar(key) | Self::ChangeSettler(key) => require_real(key),
            Self::ChangePayees(payees) => {
                let keys = [payees.wheeling, payees.platform, payees.loss];
                keys.iter().try_for_each(require_real)
            }
            Self::ReassignMeter(change) => require_real(&change.owner),
            Self::ChangeUpgradeAuthority(change) => {
                change.authority.iter().try_for_each(require_real)
            }
            Self::SetPause(_) | Self::Upgrade(_) | Self::Resolve(_) => Ok(()),
        }
    }
}

fn require_real(key: &Pubkey) -> Result<()> {
    require_keys_neq!(*key, Pubkey::default(), GovernanceError::InvalidKey);
    Ok(())
}
