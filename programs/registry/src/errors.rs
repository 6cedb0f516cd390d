//! Errors: what the program refuses, and how to put the call right.
use anchor_lang::prelude::*;

#[error_code]
pub enum RegistryError {
    #[msg("only the program's upgrade authority may initialize it")]
    NotUpgradeAuthority,
    #[msg("only the registrar may do this")]
    NotRegistrar,
    #[msg("the registrar and a gateway's key must be real keys, not zeros")]
    InvalidKey,
    #[msg("a gateway id is 1 to 32 of a-z, 0-9 and -, and does not start with -")]
    InvalidGatewayId,
    #[msg("a meter id is 1 to 32 of A-Z, 0-9 and _")]
    InvalidMeterId,
    #[msg("a meter's kind is 1 load, 2 generation, 3 bidirectional or 4 feeder")]
    InvalidMeterKind,
    #[msg("a meter's rated power lies between 1 W and 100 MW")]
    InvalidRatedPower,
    #[msg("a key's first second lies at most an hour before its gateway's registration and at most 30 days ahead")]
    InvalidValidFrom,
    #[msg("the participant is suspended or retired")]
    ParticipantNotActive,
    #[msg("the gateway is suspended or retired")]
    GatewayNotActive,
    #[msg("the meter is suspended or retired")]
    MeterNotActive,
    #[msg("a status is 1 active, 2 suspended or 3 retired")]
    InvalidStatus,
    #[msg("it is retired, for good: register a new one")]
    Retired,
    #[msg("it has this status already")]
    StatusUnchanged,
    #[msg("a key's end lies at most an hour back, and not before its beginning")]
    InvalidValidUntil,
    #[msg("the key ends then or sooner already: an end can only come closer")]
    KeyEndsSooner,
    #[msg(
        "a meter ends now or in the last 72 hours, and not before it got its owner and its status"
    )]
    InvalidSwapTime,
    #[msg("only the meter's owner may give it away")]
    NotOwner,
    #[msg("the meter belongs to this participant already")]
    OwnerUnchanged,
    #[msg("the participant's account is another wallet's")]
    WrongParticipant,
    #[msg(
        "governance has not decided this: have the proposal executed, and use it within 14 days"
    )]
    NotDecided,
    #[msg("a later decision, or a change of the meter since, has overtaken this one: have it decided again")]
    DecisionOvertaken,
    #[msg("the decided registrar must accept by signing")]
    NotDecidedRegistrar,
    #[msg("a number left its range")]
    Overflow,
}
