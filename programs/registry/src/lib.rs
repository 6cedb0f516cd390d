//! Who may take part.
//!
//! Participants are wallets, gateways are boxes with signing keys, meters belong to a participant and hang at a gateway.
//! The registrar writes them down; nothing here moves money or energy. Keys are never deleted: what a gateway signed
//! years ago can still be checked against the key that was valid then.

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

    /// Enters a wallet as participant; the wallet agrees by signing.
    pub fn register_participant(ctx: Context<RegisterParticipant>) -> Result<()> {
        RegisterParticipant::handle(ctx)
    }

    /// Enters a gateway, without keys yet.
    pub fn register_gateway(ctx: Context<RegisterGateway>, id: String) -> Result<()> {
        RegisterGateway::handle(ctx, id)
    }

    /// Gives a gateway a signing key, valid from a unix time on.
    pub fn add_gateway_key(
        ctx: Context<AddGatewayKey>,
        key: Pubkey,
        valid_from: i64,
    ) -> Result<()> {
        AddGatewayKey::handle(ctx, key, valid_from)
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
}
