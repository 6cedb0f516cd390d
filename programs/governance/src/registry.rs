//! The registry's accounts as governance reads them: who has a vote, and how many voters there are.
//!
//! The registry depends on this crate, so its id and the first fields of two of its accounts are repeated here; a test
//! of the registry compares them.
use anchor_lang::prelude::*;

pub const REGISTRY: Pubkey = pubkey!("AzyZDkZ4B2cHYkDsUAnD23q6mKWQKfcMxvqp6HSF38Nf");
/// The registry's status of an active participant.
const ACTIVE: u8 = 1;
const PARTICIPANT_DISCRIMINATOR: [u8; 8] = [32, 142, 108, 79, 247, 179, 54, 6];
const CONFIG_DISCRIMINATOR: [u8; 8] = [155, 12, 170, 224, 30, 250, 204, 130];

/// The first fields of the registry's `Participant`.
#[derive(Clone, AnchorDeserialize)]
pub struct Voter {
    pub wallet: Pubkey,
    pub zone: [u8; 16],
    pub status: u8,
    pub registered_at_s: i64,
}

impl Voter {
    pub fn is_active(&self) -> bool {
        self.status == ACTIVE
    }
}

/// The first fields of the registry's `Config`.
#[derive(Clone, AnchorDeserialize)]
pub struct Electorate {
    pub registrar: Pubkey,
    /// Number of active participants.
    pub participant_count: u32,
}

fn read<T: AnchorDeserialize>(data: &mut &[u8], discriminator: [u8; 8]) -> Result<T> {
    let (head, mut fields) = data
        .split_first_chunk()
        .ok_or(ErrorCode::AccountDiscriminatorNotFound)?;
    require!(
        *head == discriminator,
        ErrorCode::AccountDiscriminatorMismatch
    );
    T::deserialize(&mut fields).map_err(|_| ErrorCode::AccountDidNotDeserialize.into())
}

impl AccountDeserialize for Voter {
    fn try_deserialize_unchecked(data: &mut &[u8]) -> Result<Self> {
        read(data, PARTICIPANT_DISCRIMINATOR)
    }
}

impl AccountDeserialize for Electorate {
    fn try_deserialize_unchecked(data: &mut &[u8]) -> Result<Self> {
        read(data, CONFIG_DISCRIMINATOR)
    }
}

/// Read only: there is nothing to write back.
impl AccountSerialize for Voter {}
impl AccountSerialize for Electorate {}

impl Owner for Voter {
    fn owner() -> Pubkey {
        REGISTRY
    }
}

impl Owner for Electorate {
    fn owner() -> Pubkey {
        REGISTRY
    }
}

#[cfg(feature = "idl-build")]
mod idl {
    use super::{Electorate, Voter};
    use anchor_lang::{Discriminator, IdlBuild};

    impl IdlBuild for Voter {}
    impl Discriminator for Voter {
        const DISCRIMINATOR: &'static [u8] = &[];
    }
    impl IdlBuild for Electorate {}
    impl Discriminator for Electorate {
        const DISCRIMINATOR: &'static [u8] = &[];
    }
}
