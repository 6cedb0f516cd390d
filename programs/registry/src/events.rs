//! Events that the program emits.
use anchor_lang::prelude::*;

/// The registry was initialized.
#[event]
pub struct RegistryFounded {
    pub authority: Pubkey,
    pub registrar: Pubkey,
}

/// A participant was registered.
#[event]
pub struct ParticipantRegistered {
    pub wallet: Pubkey,
}

/// A gateway was registered.
#[event]
pub struct GatewayRegistered {
    pub gateway: Pubkey,
    pub id: String,
}

/// A signing key was added to a gateway, valid from Unix second `valid_from_s` on.
#[event]
pub struct GatewayKeyAdded {
    pub gateway: Pubkey,
    pub key: Pubkey,
    pub valid_from_s: i64,
}

/// A meter was registered with its owner and gateway.
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

/// A gateway's signing key was ended at Unix second `valid_until_s`, exclusive.
#[event]
pub struct GatewayKeyEnded {
    pub gateway: Pubkey,
    pub key: Pubkey,
    pub valid_until_s: i64,
}

/// A meter was replaced by another at Unix second `at_s`.
#[event]
pub struct MeterSwapped {
    pub usage_point: Pubkey,
    pub old_meter: Pubkey,
    pub new_meter: Pubkey,
    pub at_s: i64,
}

/// A meter's owner was changed.
#[event]
pub struct MeterOwnerChanged {
    pub meter: Pubkey,
    pub old_owner: Pubkey,
    pub new_owner: Pubkey,
}

/// Another registrar came into office.
#[event]
pub struct RegistrarAdopted {
    pub registrar: Pubkey,
}
