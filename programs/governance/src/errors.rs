//! What this program refuses, and what to do about it.
use anchor_lang::prelude::*;

#[error_code]
pub enum GovernanceError {
    #[msg("only the program's upgrade authority may initialize it")]
    NotUpgradeAuthority,
    #[msg("the authority set needs 1 to 7 different members, the REC validator among them")]
    InvalidMembers,
    #[msg("the threshold must lie between 1 and the number of members")]
    InvalidThreshold,
    #[msg("the time lock must lie between 48 hours and 90 days")]
    InvalidTimeLock,
    #[msg(
        "a rate is above 100,000,000 mills/kWh, or the export tariff is above the import tariff"
    )]
    InvalidRates,
    #[msg("the first rates must be in force already: effective_from must not be in the future")]
    FirstRatesInFuture,
    #[msg("rates must take effect no sooner than the time lock allows")]
    RatesTooSoon,
    #[msg("rates must take effect within a year after the time lock")]
    RatesTooFar,
    #[msg(
        "too many rate changes are scheduled: wait until the next one is in force for three days"
    )]
    TooManyRates,
    #[msg("only a member of the authority set may propose and approve")]
    NotMember,
    #[msg("this member has approved the proposal already")]
    AlreadyApproved,
    #[msg("the proposal is executed already")]
    ProposalClosed,
    #[msg("the proposal is older than 14 days: propose it again")]
    ProposalExpired,
    #[msg("the authority set has changed since the proposal: propose it again")]
    ProposalOfOldSet,
    #[msg("a later proposal has decided the pause already: propose it again")]
    ProposalOvertaken,
    #[msg("the proposal needs more approvals")]
    NotEnoughApprovals,
    #[msg("a number left its range")]
    Overflow,
}
