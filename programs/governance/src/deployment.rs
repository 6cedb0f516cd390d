//! The loader's ProgramData account of a program, from which every `initialize` learns who may replace its code.
//!
//! Decoded by hand: Anchor's own type drags in bincode, whose error texts print floating point, which SBF lacks.
use anchor_lang::{prelude::*, solana_program::bpf_loader_upgradeable};

/// A deployed program: the one field that is needed of its ProgramData account.
#[derive(Clone)]
pub struct Deployment {
    /// Who may replace the program's code; None when nobody may.
    pub upgrade_authority: Option<Pubkey>,
}

impl AccountDeserialize for Deployment {
    fn try_deserialize_unchecked(data: &mut &[u8]) -> Result<Self> {
        let authority = shared::loader::upgrade_authority(data)
            .ok_or(ErrorCode::AccountNotProgramData)?
            .map(Pubkey::from);
        Ok(Self {
            upgrade_authority: authority,
        })
    }
}

/// Read only: there is nothing to write back.
impl AccountSerialize for Deployment {}

impl Owner for Deployment {
    fn owner() -> Pubkey {
        bpf_loader_upgradeable::ID
    }
}

#[cfg(feature = "idl-build")]
impl anchor_lang::IdlBuild for Deployment {}

#[cfg(feature = "idl-build")]
impl anchor_lang::Discriminator for Deployment {
    const DISCRIMINATOR: &'static [u8] = &[];
}
