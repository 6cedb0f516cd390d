//! Replaces a program's code by the code that was decided, after the time lock. Anyone may call it.
use crate::{
    errors::GovernanceError,
    events::{Executed, Upgraded},
    loader, seeds,
    state::{Action, Authority, NewCode, Params, Proposal},
    Deployment,
};
use anchor_lang::{prelude::*, solana_program::bpf_loader_upgradeable};
use shared::{loader::buffer_code, merkle::sha256};

#[derive(Accounts)]
pub struct Upgrade<'info> {
    #[account(seeds = [seeds::AUTHORITY], bump = authority.bump)]
    pub authority: Box<Account<'info, Authority>>,
    #[account(seeds = [seeds::PARAMS], bump = params.bump)]
    pub params: Box<Account<'info, Params>>,
    #[account(
        mut,
        dup,
        seeds = [seeds::PROPOSAL, &proposal.index.to_le_bytes()],
        bump = proposal.bump
    )]
    pub proposal: Box<Account<'info, Proposal>>,
    /// CHECK: the program of the decision, compared in `validate`; the loader knows its own.
    #[account(mut)]
    pub program: UncheckedAccount<'info>,
    /// The loader's ProgramData account of the program.
    #[account(
        mut,
        dup,
        seeds = [program.key.as_ref()],
        seeds::program = bpf_loader_upgradeable::ID,
        bump,
        constraint = program_data.upgrade_authority == Some(upgrader.key())
            @ GovernanceError::NotHeldByGovernance
    )]
    pub program_data: Account<'info, Deployment>,
    /// CHECK: of the loader and with governance's address as authority, both of which the loader demands; its code is
    /// compared in `validate`.
    #[account(mut)]
    pub buffer: UncheckedAccount<'info>,
    /// CHECK: gets the buffer's rent back, whoever it is.
    #[account(mut)]
    pub spill: UncheckedAccount<'info>,
    /// CHECK: governance's address that the loader obeys; holds no data.
    #[account(seeds = [seeds::UPGRADER], bump)]
    pub upgrader: UncheckedAccount<'info>,
    /// CHECK: compared by its address.
    #[account(address = loader::RENT_SYSVAR)]
    pub rent: UncheckedAccount<'info>,
    /// CHECK: compared by its address.
    #[account(address = loader::CLOCK_SYSVAR)]
    pub clock: UncheckedAccount<'info>,
    /// CHECK: compared by its address.
    #[account(address = bpf_loader_upgradeable::ID)]
    pub loader: UncheckedAccount<'info>,
}

impl Upgrade<'_> {
    fn validate(&self, now_s: i64) -> Result<NewCode> {
        self.proposal
            .require_due(&self.authority, &self.params, now_s)?;
        let Action::Upgrade(decided) = self.proposal.action else {
            return err!(GovernanceError::WrongAction);
        };
        require_keys_eq!(
            decided.program,
            self.program.key(),
            GovernanceError::WrongAction
        );
        require_keys_eq!(
            *self.buffer.owner,
            bpf_loader_upgradeable::ID,
            GovernanceError::NotABuffer
        );
        let buffer = self.buffer.try_borrow_data()?;
        let code = buffer_code(&buffer).ok_or(GovernanceError::NotABuffer)?;
        require!(
            sha256(&[code]) == decided.code_hash,
            GovernanceError::OtherCode
        );
        Ok(decided)
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now_s = Clock::get()?.unix_timestamp;
        let accounts = ctx.accounts;
        let NewCode { program, code_hash } = accounts.validate(now_s)?;
        accounts.proposal.mark_executed(now_s);
        let infos = [
            accounts.program_data.to_account_info(),
            accounts.program.to_account_info(),
            accounts.buffer.to_account_info(),
            accounts.spill.to_account_info(),
            accounts.rent.to_account_info(),
            accounts.clock.to_account_info(),
            accounts.upgrader.to_account_info(),
        ];
        loader::upgrade(infos, ctx.bumps.upgrader)?;
        emit!(Executed {
            proposal_index: accounts.proposal.index,
        });
        emit!(Upgraded { program, code_hash });
        Ok(())
    }
}
