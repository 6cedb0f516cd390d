//! Errors: what the program refuses, and how to put the call right.
use anchor_lang::prelude::*;

#[error_code]
pub enum EnergyError {
    #[msg("only the program's upgrade authority may initialize it")]
    NotUpgradeAuthority,
    #[msg("minting uses the oracle's revision 1: pass that interval account")]
    NotFirstRevision,
    #[msg("only the trading program's market burns, when it closes the interval")]
    NotTradingMarket,
    #[msg("this interval's energy is burned already")]
    AlreadyBurned,
    #[msg("the mint is not the energy mint")]
    WrongMint,
    #[msg("the token account is not the energy pool")]
    WrongPool,
    #[msg("minted - burned no longer equals supply and pool: nothing was changed, report this")]
    SupplyMismatch,
    #[msg("only the REC validator, as governance names it, issues certificates")]
    NotIssuer,
    #[msg("the meter measures a load: it produces nothing to certify")]
    NotProducer,
    #[msg("the meter is a feeder: what passes it is certified at the meters behind it")]
    FeederNotCertified,
    #[msg("certificates follow another revision of this interval: the one in force 73 hours after its end, or a later one that has stood for 72 hours")]
    NotInForce,
    #[msg("certificates follow a revision later than 73 hours after the interval's end, and 72 hours after it was attested")]
    TooEarlyToIssue,
    #[msg("the certificates follow this revision, or a later one, already")]
    RevisionCounted,
    #[msg("number 0 of the certificates of this meter and interval belongs here, if there is one")]
    WrongFirst,
    #[msg("this is the account of another producer than the one that the certificates of this meter and interval go to")]
    WrongProducer,
    #[msg("a certificate has a holding unless all of its energy pays its producer's debt: read the debt, and pass the holding or leave it out")]
    WrongHolding,
    #[msg("a granular certificate covers at most an hour")]
    IntervalTooLong,
    #[msg("the meter's energy, its quality, its blinding and its path do not lead to the interval's root, or it has more than the interval's total")]
    NotAttested,
    #[msg("the meter has exported nothing in the interval that is not certified already")]
    NothingToCertify,
    #[msg("the revision attests no less than what is certified")]
    NothingToTakeBack,
    #[msg("the country is two capitals, the technology T and six digits, the grid zone not empty, the place on earth, the start of operation not after the production")]
    InvalidDevice,
    #[msg("only the holder may do this")]
    NotHolder,
    #[msg("the holding is of another certificate")]
    WrongCertificate,
    #[msg("the holding is cancelled: it never moves again")]
    Cancelled,
    #[msg("a slice is at least 1 Wh and leaves at least 1 Wh")]
    InvalidSlice,
    #[msg("the holding is not of this many Wh any more: read it and sign again")]
    WrongAmount,
    #[msg("a holding goes to a wallet, and to another one than the holder's")]
    InvalidHolder,
    #[msg("beneficiary and purpose have 1 to 64 bytes each, without control characters")]
    InvalidStatement,
    #[msg("the certificate's parts no longer make up its face value: nothing was changed, report this")]
    CertificateMismatch,
    #[msg("a number left its range")]
    Overflow,
}
