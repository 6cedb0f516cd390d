//! The system program's instructions, with our own way to create an account that holds lamports already.
pub use ::anchor_lang::system_program::*;

use ::anchor_lang::{context::CpiContext, prelude::*};

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
