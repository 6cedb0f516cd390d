//! Verifies that a meter's leaf is part of an attested interval: by simulation, or by a call from another program.
use crate::{errors::OracleError, state::Interval};
use anchor_lang::prelude::*;
use shared::merkle::{climb, Hash};

#[derive(Accounts)]
pub struct VerifyInclusion<'info> {
    /// The attested interval, of any revision.
    pub interval: Account<'info, Interval>,
}

// The path comes as one run of bytes: a list of hashes is read byte by byte, which costs more than hashing.
impl VerifyInclusion<'_> {
    pub fn handle(ctx: Context<Self>, leaf: &Hash, leaf_index: u32, path: &[u8]) -> Result<()> {
        let (path, rest) = path.as_chunks();
        require!(rest.is_empty(), OracleError::NotIncluded);
        let interval = &ctx.accounts.interval;
        let root = climb(leaf, leaf_index, interval.leaf_count()?, path);
        require!(root == Some(interval.merkle_root), OracleError::NotIncluded);
        Ok(())
    }
}
