//! Oracle: the attested energy of every interval.
//!
//! The attestors, m of n, attest once per interval and revision what the campus's meters imported and exported, and
//! the Merkle root over every meter's values. What is attested is never changed: a correction is a new revision beside
//! the old one, accepted until 40 days after the interval. Clearing, minting and settlement use revision 1.

extern crate framework as anchor_lang;

pub mod errors;
pub mod events;
pub mod instructions;
pub mod seeds;
pub mod state;

use anchor_lang::prelude::*;
use instructions::*;

declare_id!("7XcDhpmMv1vJmVBDhJThPVV6Xpmcbnf3BJAuikoWm5By");

#[program]
pub mod oracle {
    use super::*;

    /// Names the attestors. Once, by the program's upgrade authority.
    pub fn initialize(
        ctx: Context<Initialize>,
        attestors: Vec<Pubkey>,
        threshold: u8,
        interval_s: u32,
    ) -> Result<()> {
        Initialize::handle(ctx, attestors, threshold, interval_s)
    }

    /// Attests an interval, or corrects it with the next revision. Further attestors sign as remaining accounts.
    pub fn attest<'info>(
        ctx: Context<'info, Attest<'info>>,
        start_s: i64,
        revision: u16,
        merkle_root: [u8; 32],
        meters_valid: u32,
        meters_estimated: u32,
        import_wh: u64,
        export_wh: u64,
    ) -> Result<()> {
        let args = AttestArgs {
            start_s,
            revision,
            merkle_root,
            meters_valid,
            meters_estimated,
            import_wh,
            export_wh,
        };
        Attest::handle(ctx, args)
    }

    /// Names other attestors as governance has decided, signed by enough of them as remaining accounts.
    pub fn adopt_attestors<'info>(ctx: Context<'info, AdoptAttestors<'info>>) -> Result<()> {
        AdoptAttestors::handle(ctx)
    }

    /// Fails unless the leaf is number `leaf_index` of the interval's tree; `path` has the sibling hashes bottom up, 32
    /// bytes each.
    pub fn verify_inclusion(
        ctx: Context<VerifyInclusion>,
        leaf: [u8; 32],
        leaf_index: u32,
        path: Vec<u8>,
    ) -> Result<()> {
        VerifyInclusion::handle(ctx, &leaf, leaf_index, &path)
    }
}
