//! Calls of the upgradeable loader, signed with governance's `UPGRADER` address.
use crate::seeds;
use anchor_lang::{
    prelude::*,
    solana_program::{
        bpf_loader_upgradeable, instruction::Instruction, program::invoke_signed_unchecked,
    },
};

/// The rent sysvar, which the loader reads.
pub const RENT_SYSVAR: Pubkey = pubkey!("SysvarRent111111111111111111111111111111111");
/// The clock sysvar, which the loader reads.
pub const CLOCK_SYSVAR: Pubkey = pubkey!("SysvarC1ock11111111111111111111111111111111");
/// The loader's instruction tags, u32 little-endian.
const UPGRADE_INSTRUCTION: [u8; 4] = [3, 0, 0, 0];
const SET_AUTHORITY_INSTRUCTION: [u8; 4] = [4, 0, 0, 0];

/// Replaces a program's code by a buffer's. Accounts in the loader's order: program data, program, buffer, who gets the
/// buffer's rent, the rent and clock sysvars, the upgrade authority.
pub fn upgrade(accounts: [AccountInfo; 7], bump: u8) -> Result<()> {
    let metas = accounts
        .iter()
        .enumerate()
        .map(|(place, info)| match place {
            0..=3 => AccountMeta::new(*info.key, false),
            4..=5 => AccountMeta::new_readonly(*info.key, false),
            _ => AccountMeta::new_readonly(*info.key, true),
        });
    call(&UPGRADE_INSTRUCTION, metas.collect(), &accounts, bump)
}

/// Sets a program's upgrade authority, or none. Accounts: program data, the upgrade authority, the next one unless
/// none.
pub fn set_authority(accounts: &[AccountInfo], bump: u8) -> Result<()> {
    let metas = accounts
        .iter()
        .enumerate()
        .map(|(place, info)| match place {
            0 => AccountMeta::new(*info.key, false),
            1 => AccountMeta::new_readonly(*info.key, true),
            _ => AccountMeta::new_readonly(*info.key, false),
        });
    call(&SET_AUTHORITY_INSTRUCTION, metas.collect(), accounts, bump)
}

fn call(data: &[u8], metas: Vec<AccountMeta>, infos: &[AccountInfo], bump: u8) -> Result<()> {
    let instruction = Instruction {
        program_id: bpf_loader_upgradeable::ID,
        accounts: metas,
        data: data.to_vec(),
    };
    Ok(invoke_signed_unchecked(
        &instruction,
        infos,
        &[&[seeds::UPGRADER, &[bump]]],
    )?)
}
