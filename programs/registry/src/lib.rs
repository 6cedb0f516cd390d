//! Registry: participants, gateways and their keys, and meters.
//!
//! Participants are wallets, gateways are boxes with signing keys, meters belong to a participant and a gateway reads
//! them. The registrar registers, suspends and retires them; a meter changes its owner only with the owner's signature
//! or by governance's decision. Nothing here moves money or energy. Keys are never deleted: what a gateway signed years
//! ago can still be checked against the key that was valid then.

extern crate framework as anchor_lang;

pub mod errors;
pub mod events;
pub mod instructions;
pub mod seeds;
pub mod state;

use anchor_lang::prelude::*;
use instructions::*;

declare_id!("AzyZDkZ4B2cHYkDsUAnD23q6mKWQKfcMxvqp6HSF38Nf");

#[program]
pub mod registry {
    use super::*;

    /// Names the registrar. Once, by the program's upgrade authority.
    pub fn initialize(ctx: Context<Initialize>, registrar: Pubkey) -> Result<()> {
        Initialize::handle(ctx, registrar)
    }

    /// Registers a wallet as participant; the wallet agrees by signing.
    pub fn register_participant(ctx: Context<RegisterParticipant>) -> Result<()> {
        RegisterParticipant::handle(ctx)
    }

    /// Registers a gateway, without keys yet.
    pub fn register_gateway(ctx: Context<RegisterGateway>, id: String) -> Result<()> {
        RegisterGateway::handle(ctx, id)
    }

    /// Adds a signing key to a gateway, valid from Unix second `valid_from_s` on.
    pub fn add_gateway_key(
        ctx: Context<AddGatewayKey>,
        key: Pubkey,
        valid_from_s: i64,
    ) -> Result<()> {
        AddGatewayKey::handle(ctx, key, valid_from_s)
    }

    /// Binds a meter to its owner and its gateway.
    pub fn register_meter(
        ctx: Context<RegisterMeter>,
        id: String,
        kind: u8,
        rated_power_w: u32,
        serial_hash: [u8; 32],
    ) -> Result<()> {
        let args = RegisterMeterArgs {
            id,
            kind,
            rated_power_w,
            serial_hash,
        };
        RegisterMeter::handle(ctx, args)
    }

    /// Suspends a participant, reactivates it, or retires it for good.
    pub fn set_participant_status(ctx: Context<SetParticipantStatus>, status: u8) -> Result<()> {
        SetParticipantStatus::handle(ctx, status)
    }

    /// Suspends a gateway, reactivates it, or retires it for good.
    pub fn set_gateway_status(ctx: Context<SetGatewayStatus>, status: u8) -> Result<()> {
        SetGatewayStatus::handle(ctx, status)
    }

    /// Suspends a meter, reactivates it, or retires it for good.
    pub fn set_meter_status(ctx: Context<SetMeterStatus>, status: u8) -> Result<()> {
        SetMeterStatus::handle(ctx, status)
    }

    /// Ends a gateway's signing key at Unix second `valid_until_s`, exclusive.
    pub fn end_gateway_key(ctx: Context<EndGatewayKey>, valid_until_s: i64) -> Result<()> {
        EndGatewayKey::handle(ctx, valid_until_s)
    }

    /// Replaces a meter at Unix second `at_s` by a new one of the same owner and usage point.
    pub fn swap_meter(
        ctx: Context<SwapMeter>,
        id: String,
        kind: u8,
        rated_power_w: u32,
        serial_hash: [u8; 32],
        at_s: i64,
    ) -> Result<()> {
        let args = RegisterMeterArgs {
            id,
            kind,
            rated_power_w,
            serial_hash,
        };
        SwapMeter::handle(ctx, args, at_s)
    }

    /// Gives a meter to another participant; both wallets sign.
    pub fn transfer_meter(ctx: Context<TransferMeter>) -> Result<()> {
        TransferMeter::handle(ctx)
    }

    /// Gives a meter to another participant as governance has decided. Anyone may call it.
    pub fn reassign_meter(ctx: Context<ReassignMeter>) -> Result<()> {
        ReassignMeter::handle(ctx)
    }

    /// Names another registrar as governance has decided; the new one signs.
    pub fn adopt_registrar(ctx: Context<AdoptRegistrar>) -> Result<()> {
        AdoptRegistrar::handle(ctx)
    }
}
