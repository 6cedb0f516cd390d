//! Energy as a token: an interval's attested export, minted once and burned at its close.
use anchor_lang::prelude::*;

declare_id!("EQxjpTzh5X7XhVwRy9Kr7BSMs1AqM43T4PoeL5JPdDLa");

#[program]
pub mod energy_token {
    use super::*;

    // Placeholder so that the workspace builds before the first instruction exists.
    pub fn ping(_ctx: Context<Ping>) -> Result<()> {
        Ok(())
    }
}

#[derive(Accounts)]
pub struct Ping {}
