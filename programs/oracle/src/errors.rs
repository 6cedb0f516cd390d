//! Errors: what the program refuses, and how to put the call right.
use anchor_lang::prelude::*;

#[error_code]
pub enum OracleError {
    #[msg("only the program's upgrade authority may initialize it")]
    NotUpgradeAuthority,
    #[msg("there must be 1 to 5 different attestors")]
    InvalidAttestors,
    #[msg("the threshold must lie between 1 and the number of attestors")]
    InvalidThreshold,
    #[msg("an interval lasts 1 second to 1 day and divides the day")]
    InvalidIntervalLength,
    #[msg("a signer is not an attestor")]
    NotAttestor,
    #[msg("an attestor has signed twice")]
    DuplicateAttestor,
    #[msg("more attestors must sign")]
    NotEnoughAttestors,
    #[msg("intervals start at multiples of their length, from 1970 on")]
    NotAligned,
    #[msg("the interval has not ended yet")]
    NotEnded,
    #[msg("revisions count from 1, and every one but the first needs the one before it")]
    PreviousRevision,
    #[msg("corrections end 40 days and the grace of one hour after the interval")]
    TooLateToCorrect,
    #[msg("an interval has at most 65,536 meters")]
    TooManyMeters,
    #[msg("more energy than the valid meters can import or export in the interval at 100 MW each")]
    ImpossibleEnergy,
    #[msg(
        "the leaf and its path do not lead to the interval's root: check index, order and revision"
    )]
    NotIncluded,
    #[msg(
        "governance has not decided this: have the proposal executed, and adopt it within 14 days"
    )]
    NotDecided,
    #[msg("a later decision has named the attestors already")]
    DecisionOvertaken,
    #[msg("the interval from which they attest has begun: have it decided again, for a later one")]
    TooLateToAdopt,
    #[msg("the last change of attestors is 73 hours old at most: wait until the new ones have taken over")]
    AttestorsChanging,
    #[msg("a number left its range")]
    Overflow,
}
