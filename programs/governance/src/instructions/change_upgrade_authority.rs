//! Changes a program's upgrade authority to a key that accepts by signing, or to none for ever. After the time lock.
use crate::{
    errors::GovernanceError,
    events::{Executed, UpgradeAuthorityChanged},
    loader, seeds,
    state::{Action, Authority, NewUpgradeAuthority, Params, Proposal},
    Deployment,
};
use anchor_lang::{prelude::*, solana_program::bpf_loader_upgradeable};

#[derive(Accounts)]
pub struct ChangeUpgradeAuthority<'info> {
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
    /// CHECK: the program of the decision, compared in `validate`.
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
    /// CHECK: governance's address that the loader obeys; holds no data.
    #[account(seeds = [seeds::UPGRADER], bump)]
    pub upgrader: UncheckedAccount<'info>,
    /// The next upgrade authority, unless there is to be none.
    pub next: Option<Signer<'info>>,
    /// CHECK: compared by its address.
    #[account(address = bpf_loader_upgradeable::ID)]
    pub loader: UncheckedAccount<'info>,
}

impl ChangeUpgradeAuthority<'_> {
    fn validate(&self, now_s: i64) -> Result<NewUpgradeAuthority> {
        self.proposal
            .require_due(&self.authority, &self.params, now_s)?;
        let Action::ChangeUpgradeAuthority(decided) = self.proposal.action else {
            return err!(GovernanceError::WrongAction);
        };
        require_keys_eq!(
            decided.program,
            self.program.key(),
            GovernanceError::WrongAction
        );
        require!(
            decided.authority == self.next.as_ref().map(|next| next.key()),
            GovernanceError::OtherUpgradeAuthority
        );
        Ok(decided)
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now_s = Clock::get()?.unix_timestamp;
        let accounts = ctx.accounts;
        let NewUpgradeAuthority { program, authority } = accounts.validate(now_s)?;
        accounts.proposal.mark_executed(now_s);
        let mut infos = vec![
            accounts.program_data.to_account_info(),
            accounts.upgrader.to_account_info(),
        ];
        infos.extend(accounts.next.iter().map(|next| next.to_account_info()));
        loader::set_authority(&infos, ctx.bumps.upgrader)?;
        emit!(Executed {
            proposal_index: accounts.proposal.index,
        });
        emit!(UpgradeAuthorityChanged { program, authority });
        Ok(())
    }
}
