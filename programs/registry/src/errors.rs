//! What this program refuses, and what to do about it.
use anchor_lang::prelude::*;

#[error_code]
pub enum RegistryError {
    #[msg("only the program's upgrade authority may initialize it")]
    NotUpgradeAuthority,
    #[msg("only the registrar may register")]
    NotRegistrar,
    #[msg("the registrar and a gateway's key must be real keys, not zeros")]
    InvalidKey,
    #[msg("a gateway id is 1 to 32 of a-z, 0-9 and -, and does not start with -")]
    InvalidGatewayId,
    #[msg("a meter id is 1 to 32 of A-Z, 0-9 and _")]
    InvalidMeterId,
    #[msg("a meter's kind is 1 load, 2 generation or 3 bidirectional")]
    InvalidMeterKind,
    #[msg("a meter's rated power lies between 1 W and 100 MW")]
    InvalidRatedPower,
    #[msg("a key's first second lies at most an hour before its gateway's registration and at most 30 days ahead")]
    InvalidValidFrom,
    #[msg("the participant is suspended or retired")]
    ParticipantNotActive,
    #[msg("the gateway is suspended or retired")]
    GatewayNotActive,
    #[msg("a number left its range")]
    Overflow,
}
