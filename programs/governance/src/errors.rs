//! Errors: what the program refuses, and how to put the call right.
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
    #[msg("this member has not approved the proposal, so there is nothing to take back")]
    NotApproved,
    #[msg("the proposal is decided, but under its time lock: try again when it has passed")]
    TimeLocked,
    #[msg("this action has an instruction of its own: accept_authority, upgrade or change_upgrade_authority")]
    OwnInstruction,
    #[msg("the proposal's action is another one than this instruction carries out")]
    WrongAction,
    #[msg("a key must be a real one, not zeros")]
    InvalidKey,
    #[msg("only members of the proposed set accept it, each with a signature")]
    NotNewMember,
    #[msg("as many members of the proposed set as its threshold must sign")]
    NotAccepted,
    #[msg("there must be 1 to 5 different attestors, and a threshold between 1 and their number")]
    InvalidAttestors,
    #[msg("attestors begin outside the time lock, within a year after it")]
    InvalidBeginning,
    #[msg("a vote is open for 1 to 30 days, and its quorum lies between 1 and 100 percent")]
    InvalidVoteRules,
    #[msg("participants vote on rates, on the rules of votes, and on texts")]
    NotVotable,
    #[msg("only the proposer may put a proposal to the vote")]
    NotProposer,
    #[msg("the proposal is put to the vote already")]
    VoteBegun,
    #[msg("the registry has no active participants")]
    NoVoters,
    #[msg("the proposal is not put to the vote")]
    NoVote,
    #[msg("the vote is open: wait until it ends")]
    VoteOpen,
    #[msg("the vote is over")]
    VoteOver,
    #[msg("the participants have voted against it, or too few have voted")]
    VotedDown,
    #[msg("only the wallet of an active participant votes")]
    NotVoter,
    #[msg("who was registered after the vote began has no vote in it")]
    RegisteredTooLate,
    #[msg("governance is not this program's upgrade authority")]
    NotHeldByGovernance,
    #[msg("this is no buffer with a program's code")]
    NotABuffer,
    #[msg("the buffer holds other code than was decided: compare its SHA-256")]
    OtherCode,
    #[msg("this is not the key that was decided to be the next upgrade authority")]
    OtherUpgradeAuthority,
    #[msg("a number left its range")]
    Overflow,
}
