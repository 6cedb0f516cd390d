//! Sets a wallet's next mandate, which the wallet signs.
use crate::{
    events::MandateSet,
    state::{self, MandateArgs, Market},
};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct SetMandate<'info> {
    /// Owner of the account.
    pub wallet: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub account: AccountLoader<'info, state::Account>,
}

impl SetMandate<'_> {
    fn validate(&self) -> Result<()> {
        self.account.load()?.require_wallet(self.wallet.key)?;
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, args: MandateArgs) -> Result<()> {
        let accounts = ctx.accounts;
        accounts.validate()?;
        let now_s = Clock::get()?.unix_timestamp;
        let interval_s = accounts.market.load()?.interval_s;
        let mut account = accounts.account.load_mut()?;
        let mandate = account.set_mandate(args, now_s, interval_s)?;
        emit!(MandateSet {
            wallet: account.wallet,
            nonce: mandate.nonce,
            valid_from_s: mandate.valid_from_s,
            expiry_s: mandate.expiry_s,
        });
        Ok(())
    }
}
