//! Adopts the registrar that governance has decided; the new one accepts by signing.
use crate::{errors::RegistryError, events::RegistrarAdopted, state::Config};
use anchor_lang::prelude::*;
use governance::state::{Action, Proposal};

#[derive(Accounts)]
pub struct AdoptRegistrar<'info> {
    #[account(mut)]
    pub config: Account<'info, Config>,
    /// The executed proposal of governance.
    pub proposal: Account<'info, Proposal>,
    /// The key that the proposal names.
    pub new_registrar: Signer<'info>,
}

impl AdoptRegistrar<'_> {
    fn validate(&self, now_s: i64) -> Result<()> {
        require!(self.proposal.is_executed(now_s), RegistryError::NotDecided);
        let Action::ChangeRegistrar(decided) = &self.proposal.action else {
            return err!(RegistryError::NotDecided);
        };
        require_keys_eq!(
            *decided,
            self.new_registrar.key(),
            RegistryError::NotDecidedRegistrar
        );
        require!(
            self.proposal.index >= self.config.next_proposal_index,
            RegistryError::DecisionOvertaken
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate(Clock::get()?.unix_timestamp)?;
        let registrar = ctx.accounts.new_registrar.key();
        let config = &mut ctx.accounts.config;
        config.registrar = registrar;
        let next = ctx.accounts.proposal.index.checked_add(1);
        config.next_proposal_index = next.ok_or(RegistryError::Overflow)?;
        emit!(RegistrarAdopted { registrar });
        Ok(())
    }
}
