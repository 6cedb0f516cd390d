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

/// A participant's status changed: 1 active, 2 suspended, 3 retired.
#[event]
pub struct ParticipantStatusSet {
    pub wallet: Pubkey,
    pub status: u8,
}

/// A gateway's status changed: 1 active, 2 suspended, 3 retired.
#[event]
pub struct GatewayStatusSet {
    pub gateway: Pubkey,
    pub status: u8,
}

/// A meter's status changed: 1 active, 2 suspended, 3 retired.
#[event]
pub struct MeterStatusSet {
    pub meter: Pubkey,
    pub status: u8,
}

/// A gateway's key may no longer sign from `valid_until` on.
#[event]
pub struct GatewayKeyEnded {
    pub gateway: Pubkey,
    pub key: Pubkey,
    pub valid_until: i64,
}

/// A meter was replaced by another at unix time `at`.
#[event]
pub struct MeterSwapped {
    pub usage_point: Pubkey,
    pub old_meter: Pubkey,
    pub new_meter: Pubkey,
    pub at: i64,
}

/// A meter belongs to another participant.
#[event]
pub struct MeterOwnerChanged {
    pub meter: Pubkey,
    pub old_owner: Pubkey,
    pub new_owner: Pubkey,
}

/// Another key registers from now on.
#[event]
pub struct RegistrarAdopted {
    pub registrar: Pubkey,
}
