//! Energy tokens, minted once per interval and burned at its close, and granular certificates of production.
//!
//! Anybody may mint an attested interval: the oracle's first revision alone decides how much. The tokens are held in a
//! pool that nobody can spend from, and the trading program's market burns them when it closes the interval. So the
//! supply is at any time the export of the intervals that are attested and not closed.
//!
//! The lasting claim to renewable energy is a certificate: what one meter has exported in one interval, issued once,
//! when no correction can come any more, to the meter's owner. It lies in holdings that are sliced, transferred, and
//! cancelled in somebody's favour; a cancelled one never moves.

extern crate framework as anchor_lang;

pub mod errors;
pub mod events;
pub mod instructions;
pub mod seeds;
pub mod state;

use anchor_lang::prelude::*;
use instructions::*;
use state::Device;

declare_id!("EQxjpTzh5X7XhVwRy9Kr7BSMs1AqM43T4PoeL5JPdDLa");

/// The trading program, whose market closes intervals. It depends on this crate, so its id is written down here.
pub const TRADING: Pubkey = pubkey!("4e8YjYAvqBUXiiEY6rRKgwfZLk53UkJzNupmQeucMgfE");

#[program]
pub mod energy_token {
    use super::*;

    /// Creates the mint and the pool. Once, by the program's upgrade authority.
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
    /// Certifies what a meter has exported in an interval, once. By the REC validator, to the meter's owner.
    pub fn issue_certificate(
        ctx: Context<IssueCertificate>,
        energy: AttestedEnergy,
        device: Device,
    ) -> Result<()> {
        IssueCertificate::handle(ctx, &energy, &device)
    }

    /// Slices `wh` off a holding, into a holding of its own.
    pub fn slice_certificate(ctx: Context<SliceCertificate>, wh: u64) -> Result<()> {
        SliceCertificate::handle(ctx, wh)
    }

    /// Transfers a holding, which must be of `wh`, to another wallet.
    pub fn transfer_certificate(
        ctx: Context<TransferCertificate>,
        to: Pubkey,
        wh: u64,
    ) -> Result<()> {
        TransferCertificate::handle(ctx, to, wh)
    }

    /// Cancels a holding in the beneficiary's favour and for the purpose named: its energy is claimed.
    pub fn cancel_certificate(
        ctx: Context<CancelCertificate>,
        beneficiary: String,
        purpose: String,
    ) -> Result<()> {
        CancelCertificate::handle(ctx, beneficiary, purpose)
    }
}
