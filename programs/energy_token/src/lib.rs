//! Energy tokens, minted once per interval and burned at its close, and granular certificates of production.
//!
//! Anybody may mint an attested interval: the oracle's first revision alone decides how much. The tokens are held in a
//! pool that nobody can spend from, and the trading program's market burns them when it closes the interval. So the
//! supply is at any time the export of the intervals that are attested and not closed.
//!
//! The lasting claim to renewable energy is a certificate: what one meter has exported in one interval, issued once to
//! the meter's owner, by the revision that is in force 73 hours after the interval. It lies in holdings that are
//! sliced, transferred, and cancelled in somebody's favour; a cancelled one never moves. A later revision with more
//! export gives one further certificate on the difference. One with less becomes the producer's debt, which is paid
//! from what would be issued to them next.

extern crate framework as anchor_lang;

pub mod errors;
pub mod events;
pub mod instructions;
pub mod seeds;
pub mod state;

use anchor_lang::prelude::*;
use instructions::*;
use state::{AttestedEnergy, Device};

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

    /// Opens the account of a participant who produces, once. Anyone may call it.
    pub fn open_producer(ctx: Context<OpenProducer>) -> Result<()> {
        OpenProducer::handle(ctx)
    }

    /// Certifies what a meter has exported in an interval and is not certified yet, once for each revision. By the REC
    /// validator, to the producer.
    pub fn issue_certificate(
        ctx: Context<IssueCertificate>,
        energy: AttestedEnergy,
        device: Device,
    ) -> Result<()> {
        IssueCertificate::handle(ctx, &energy, &device)
    }

    /// Takes back what is certified beyond a later revision: it becomes the producer's debt. Anyone may call it.
    pub fn take_back_export(
        ctx: Context<TakeBackExport>,
        energy: AttestedEnergy,
        quality: u8,
    ) -> Result<()> {
        TakeBackExport::handle(ctx, &energy, quality)
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
