//! Creates the registry and names its registrar.
use crate::{errors::RegistryError, events::RegistryFounded, seeds, state::Config};
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
            @ RegistryError::NotUpgradeAuthority
    )]
    pub program_data: Account<'info, Deployment>,
    /// Governance's authority set, which must exist: it alone can change the registrar.
    pub authority: Account<'info, Authority>,
    #[account(init, payer = payer, space = 8 + Config::INIT_SPACE, seeds = [seeds::CONFIG], bump)]
    pub config: Account<'info, Config>,
    pub system_program: Program<'info, System>,
}

impl Initialize<'_> {
    fn validate(&self, registrar: Pubkey) -> Result<()> {
        require_keys_neq!(registrar, Pubkey::default(), RegistryError::InvalidKey);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, registrar: Pubkey) -> Result<()> {
        ctx.accounts.validate(registrar)?;
        let authority = ctx.accounts.authority.key();
        ctx.accounts.config.set_inner(Config {
            registrar,
            participant_count: 0,
            next_proposal_index: 0,
            bump: ctx.bumps.config,
        });
        emit!(RegistryFounded {
            authority,
            registrar,
        });
        Ok(())
    }
}
