//! Adopts the attestors that governance has decided, with the signatures of `threshold` of them: keys
//! that nobody holds never attest.
use crate::{
    errors::OracleError,
    events::AttestorsAdopted,
    state::{require_quorum, Config},
};
use anchor_lang::prelude::*;
use governance::state::{Action, AttestorSet, Proposal};

#[derive(Accounts)]
pub struct AdoptAttestors<'info> {
    #[account(mut)]
    pub config: Account<'info, Config>,
    /// The executed proposal of governance.
    pub proposal: Account<'info, Proposal>,
}

impl<'info> AdoptAttestors<'info> {
    fn validate(&self, signers: &[AccountInfo<'info>], now_s: i64) -> Result<AttestorSet> {
        require!(self.proposal.is_executed(now_s), OracleError::NotDecided);
        let Action::ChangeAttestors(set) = &self.proposal.action else {
            return err!(OracleError::NotDecided);
        };
        require!(
            signers.iter().all(|signer| signer.is_signer),
            OracleError::NotAttestor
        );
        require_quorum(
            (&set.attestors, set.threshold),
            signers.iter().map(|signer| signer.key),
        )?;
        Ok(set.clone())
    }

    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let now_s = Clock::get()?.unix_timestamp;
        let set = ctx.accounts.validate(ctx.remaining_accounts, now_s)?;
        emit!(AttestorsAdopted {
            attestors: set.attestors.clone(),
            threshold: set.threshold,
            effective_from_s: set.effective_from_s,
        });
        let index = ctx.accounts.proposal.index;
        ctx.accounts.config.adopt(set, index, now_s)
    }
}
