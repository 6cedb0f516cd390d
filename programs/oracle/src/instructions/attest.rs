//! Attests what was measured in an interval, or corrects it with the next revision.
use crate::{
    errors::OracleError,
    events::Attested,
    seeds,
    state::{require_quorum, Config, Interval},
};
use anchor_lang::prelude::*;

pub struct AttestArgs {
    /// Start of the interval in Unix seconds, a multiple of its length.
    pub start_s: i64,
    /// 1 for the first attestation, one more for every correction.
    pub revision: u16,
    /// Merkle root over one leaf per meter, sorted by meter id.
    pub merkle_root: [u8; 32],
    pub meters_valid: u32,
    pub meters_estimated: u32,
    /// Sums over the valid meters only, without feeders, in Wh.
    pub import_wh: u64,
    pub export_wh: u64,
}

#[derive(Accounts)]
#[instruction(start_s: i64, revision: u16)]
pub struct Attest<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    pub config: Account<'info, Config>,
    /// The first of the attestors; the others sign as remaining accounts.
    pub attestor: Signer<'info>,
    /// The revision before, for a correction.
    pub previous: Option<Account<'info, Interval>>,
    #[account(
        init,
        payer = payer,
        space = 8 + Interval::INIT_SPACE,
        seeds = [seeds::INTERVAL, &start_s.to_le_bytes(), &revision.to_le_bytes()],
        bump
    )]
    pub interval: Account<'info, Interval>,
    pub system_program: Program<'info, System>,
}

impl<'info> Attest<'info> {
    fn validate(
        &self,
        others: &[AccountInfo<'info>],
        start_s: i64,
        end_s: i64,
        now_s: i64,
    ) -> Result<()> {
        require!(now_s >= end_s, OracleError::NotEnded);
        require!(
            others.iter().all(|other| other.is_signer),
            OracleError::NotAttestor
        );
        let others = others.iter().map(|other| other.key);
        require_quorum(
            self.config.attestors_for(start_s, now_s),
            std::iter::once(self.attestor.key).chain(others),
        )
    }

    pub fn handle(ctx: Context<'info, Self>, args: AttestArgs) -> Result<()> {
        let accounts = ctx.accounts;
        let now_s = Clock::get()?.unix_timestamp;
        let end_s = Interval::end_s_for(args.start_s, accounts.config.interval_s)?;
        accounts.validate(ctx.remaining_accounts, args.start_s, end_s, now_s)?;
        accounts.interval.set_inner(Interval {
            start_s: args.start_s,
            end_s,
            revision: args.revision,
            merkle_root: args.merkle_root,
            meters_valid: args.meters_valid,
            meters_estimated: args.meters_estimated,
            import_wh: args.import_wh,
            export_wh: args.export_wh,
            attested_at_s: now_s,
            bump: ctx.bumps.interval,
        });
        accounts
            .interval
            .require_possible_totals(accounts.config.interval_s)?;
        let previous = accounts.previous.as_deref();
        accounts.interval.require_successor(previous, now_s)?;
        emit!(Attested {
            start_s: args.start_s,
            revision: args.revision,
            merkle_root: args.merkle_root,
            import_wh: args.import_wh,
            export_wh: args.export_wh,
        });
        Ok(())
    }
}
