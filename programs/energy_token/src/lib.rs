//! Energy as a token: an interval's attested export, minted once and burned at its close.
//!
//! Anybody may have an attested interval minted: the oracle's first revision alone decides how much. The tokens lie in a
//! pool that nobody can spend from, and the trading program's market burns them when it closes the interval. So the
//! supply is at any time the export of the intervals that are attested and not closed. The lasting claim to renewable
//! energy is a certificate.

extern crate framework as anchor_lang;

pub mod errors;
pub mod events;
pub mod instructions;
pub mod seeds;
pub mod state;

use anchor_lang::prelude::*;
use instructions::*;

declare_id!("EQxjpTzh5X7XhVwRy9Kr7BSMs1AqM43T4PoeL5JPdDLa");

/// The trading program, whose market closes intervals. It depends on this crate, so its id is written down here.
pub const TRADING: Pubkey = pubkey!("4e8YjYAvqBUXiiEY6rRKgwfZLk53UkJzNupmQeucMgfE");

#[program]
pub mod energy_token {
    use super::*;

    /// Makes the mint and the pool. Once, by the program's upgrade authority.
    pub fn initialize(ctx: Context<Initialize>) -> Result<()> {
        Initialize::handle(ctx)
    }

    /// Mints an attested interval's export, once. Anyone may call it.
    pub fn mint_interval(ctx: Context<MintInterval>) -> Result<()> {
        MintInterval::handle(ctx)
    }

    /// Burns what was minted for an interval, at its close by the trading program's market.
    pub fn burn_interval(ctx: Context<BurnInterval>) -> Result<()> {
        BurnInterval::handle(ctx)
    }
}
