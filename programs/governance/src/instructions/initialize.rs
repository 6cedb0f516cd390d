//! Creates the authority set, the parameters and the pause switch.
use crate::{
    errors::GovernanceError,
    events::AuthorityFounded,
    seeds,
    state::{Authority, Params, Pause, RateSet, VoteRules},
    Deployment,
};
use anchor_lang::{prelude::*, solana_program::bpf_loader_upgradeable};

pub struct InitializeArgs {
    /// Issuing body of certificates, one of the members.
    pub rec_validator: Pubkey,
    /// 1 to 7 different keys.
    pub members: Vec<Pubkey>,
    /// Approvals that a decision needs.
    pub threshold: u8,
    /// In force at once.
    pub first_rates: RateSet,
    /// Seconds between a decision and its effect, 48 hours to 90 days.
    pub time_lock_s: i64,
}

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
            @ GovernanceError::NotUpgradeAuthority
    )]
    pub program_data: Account<'info, Deployment>,
    #[account(init, payer = payer, space = 8 + Authority::INIT_SPACE, seeds = [seeds::AUTHORITY], bump)]
    pub authority: Account<'info, Authority>,
    #[account(init, payer = payer, space = 8 + Params::INIT_SPACE, seeds = [seeds::PARAMS], bump)]
    pub params: Account<'info, Params>,
    #[account(init, payer = payer, space = 8 + Pause::INIT_SPACE, seeds = [seeds::PAUSE], bump)]
    pub pause: Account<'info, Pause>,
    pub system_program: Program<'info, System>,
}

impl Initialize<'_> {
    fn validate(&self, args: &InitializeArgs) -> Result<()> {
        require!(
            args.first_rates.effective_from_s <= Clock::get()?.unix_timestamp,
            GovernanceError::FirstRatesInFuture
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, args: InitializeArgs) -> Result<()> {
        ctx.accounts.validate(&args)?;
        emit!(AuthorityFounded {
            rec_validator: args.rec_validator,
            members: args.members.clone(),
            threshold: args.threshold,
        });
        ctx.accounts.authority.set_inner(Authority {
            rec_validator: args.rec_validator,
            members: args.members,
            threshold: args.threshold,
            set_index: 0,
            proposal_count: 0,
            bump: ctx.bumps.authority,
        });
        ctx.accounts.params.set_inner(Params {
            rate_sets: vec![args.first_rates],
            time_lock_s: args.time_lock_s,
            vote_rules: VoteRules::INITIAL,
            bump: ctx.bumps.params,
        });
        ctx.accounts.pause.set_inner(Pause {
            paused: false,
            since_s: Clock::get()?.unix_timestamp,
            next_proposal_index: 0,
            bump: ctx.bumps.pause,
        });
        ctx.accounts.authority.invariant()?;
        ctx.accounts.params.invariant()
    }
}
