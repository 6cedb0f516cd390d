//! What this program tells the world.
use anchor_lang::prelude::*;

/// The registry was founded.
#[event]
pub struct RegistryFounded {
    pub authority: Pubkey,
    pub registrar: Pubkey,
}

/// A wallet became a participant.
#[event]
pub struct ParticipantRegistered {
    pub wallet: Pubkey,
}

/// A gateway was entered.
#[event]
pub struct GatewayRegistered {
    pub gateway: Pubkey,
    pub id: String,
}

/// A gateway's readings may be signed with this key from `valid_from` on.
#[event]
pub struct GatewayKeyAdded {
    pub gateway: Pubkey,
    pub key: Pubkey,
    pub valid_from: i64,
}

/// A meter was bound to its owner and gateway.
#[event]
pub struct MeterRegistered {
    pub meter: Pubkey,
    pub owner: Pubkey,
    pub gateway: Pubkey,
}
