//! What this program refuses, and what to do about it.
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
    #[msg("a number left its range")]
    Overflow,
}
