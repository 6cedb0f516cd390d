//! Creates the oracle and names its attestors.
use crate::{errors::OracleError, events::OracleFounded, seeds, state::Config};
use anchor_lang::{prelude::*, solana_program::bpf_loader_upgradeable};
use governance::{state::Authority, Deployment};

#[derive(Accounts)]
pub struct Initialize<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The upgrade authority: it alone may initialize the program.
    pub upgrade_authority: Signer<'info>,
    /// The loader's ProgramData account of this program.
    #[account(
        seeds = [crate::ID.as_ref()],
        seeds::program = bpf_loader_upgradeable::ID,
        bump,
        constraint = program_data.upgrade_authority == Some(upgrade_authority.key())
            @ OracleError::NotUpgradeAuthority
    )]
    pub program_data: Account<'info, Deployment>,
    /// Governance's authority set.
    pub authority: Account<'info, Authority>,
    #[account(init, payer = payer, space = 8 + Config::INIT_SPACE, seeds = [seeds::CONFIG], bump)]
    pub config: Account<'info, Config>,
    pub system_program: Program<'info, System>,
}

impl Initialize<'_> {
    pub fn handle(
        ctx: Context<Self>,
        attestors: Vec<Pubkey>,
        threshold: u8,
        interval_s: u32,
    ) -> Result<()> {
        emit!(OracleFounded {
            attestors: attestors.clone(),
            threshold,
            interval_s,
        });
        ctx.accounts.config.set_inner(Config {
            authority: ctx.accounts.authority.key(),
            attestors,
            threshold,
            interval_s,
            next: None,
            next_proposal_index: 0,
            bump: ctx.bumps.config,
        });
        ctx.accounts.config.invariant()
    }
}
