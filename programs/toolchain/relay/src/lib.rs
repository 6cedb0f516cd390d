//! Calls the program of the first account with the other accounts and the data, and returns what it returns.
use anchor_lang::{
    prelude::*,
    solana_program::{
        entrypoint,
        entrypoint::ProgramResult,
        instruction::Instruction,
        program::{get_return_data, invoke, set_return_data},
    },
};

#[cfg(not(feature = "no-entrypoint"))]
entrypoint!(relay);

pub fn relay(_id: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    let (callee, passed) = accounts
        .split_first()
        .ok_or(ProgramError::NotEnoughAccountKeys)?;
    let meta = |info: &AccountInfo| AccountMeta {
        pubkey: *info.key,
        is_signer: info.is_signer,
        is_writable: info.is_writable,
    };
    let call = Instruction {
        program_id: *callee.key,
        accounts: passed.iter().map(meta).collect(),
        data: data.to_vec(),
    };
    invoke(&call, accounts)?;
    if let Some((_, returned)) = get_return_data() {
        set_return_data(&returned);
    }
    Ok(())
}
