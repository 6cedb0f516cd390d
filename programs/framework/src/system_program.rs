//! The system program's instructions, with our own way to create an account that holds lamports already.
pub use ::anchor_lang::system_program::*;

use ::anchor_lang::{
    context::CpiContext,
    prelude::*,
    solana_program::{instruction::Instruction, program::invoke_signed_unchecked},
};

/// The system program's tag of CreateAccount.
const CREATE_ACCOUNT: [u8; 4] = [0; 4];

/// Creates an account at an address without lamports. Written out by hand: bincode and the runtime's second look at the
/// accounts' borrows cost 1,000 CU.
pub fn create_account<'info>(
    ctx: CpiContext<'_, '_, '_, 'info, CreateAccount<'info>>,
    lamports: u64,
    space: u64,
    owner: &Pubkey,
) -> Result<()> {
    let CreateAccount { from, to } = ctx.accounts;
    let mut data = Vec::with_capacity(52);
    data.extend_from_slice(&CREATE_ACCOUNT);
    data.extend_from_slice(&lamports.to_le_bytes());
    data.extend_from_slice(&space.to_le_bytes());
    data.extend_from_slice(owner.as_ref());
    let instruction = Instruction {
        program_id: ctx.program_id,
        accounts: vec![
            AccountMeta::new(*from.key, true),
            AccountMeta::new(*to.key, true),
        ],
        data,
    };
    Ok(invoke_signed_unchecked(
        &instruction,
        &[from, to],
        ctx.signer_seeds,
    )?)
}

/// Creates an account that may hold lamports already: tops it up by `lamports`, gives it room and its owner.
pub fn create_account_allow_prefund<'info>(
    ctx: CpiContext<'_, '_, '_, 'info, CreateAccountAllowPrefund<'info>>,
    lamports: u64,
    space: u64,
    owner: &Pubkey,
) -> Result<()> {
    let CreateAccountAllowPrefund { from, to } = ctx.accounts;
    if lamports > 0 {
        let accounts = Transfer {
            from,
            to: to.clone(),
        };
        transfer(CpiContext::new(ctx.program_id, accounts), lamports)?;
    }
    let accounts = Allocate {
        account_to_allocate: to.clone(),
    };
    allocate(
        CpiContext::new_with_signer(ctx.program_id, accounts, ctx.signer_seeds),
        space,
    )?;
    let accounts = Assign {
        account_to_assign: to,
    };
    assign(
        CpiContext::new_with_signer(ctx.program_id, accounts, ctx.signer_seeds),
        owner,
    )
}
