//! State of the energy token: its mint and pool, and the totals minted and burned.
use crate::errors::EnergyError;
use anchor_lang::prelude::*;
use shared::Wh;

/// Decimals of the mint: one token is a kWh, its smallest unit a Wh.
pub const ENERGY_DECIMALS: u8 = 3;
/// Bytes of a Token-2022 mint without extensions.
pub const MINT_BYTES: usize = 82;
/// Bytes of a Token-2022 token account without extensions.
pub const TOKEN_ACCOUNT_BYTES: usize = 165;

#[account]
#[derive(InitSpace)]
pub struct State {
    /// The program whose attested intervals are minted.
    pub oracle: Pubkey,
    /// The trading program's market, the only signer that burns.
    pub trading_authority: Pubkey,
    /// The energy mint; this account is its only authority.
    pub mint: Pubkey,
    /// The token account that holds all energy; this account owns it.
    pub pool: Pubkey,
    /// Wh minted since the beginning. The oracle bounds every interval by its meters' power, so this lasts beyond the
    /// year 2270 (`shared::meters`): no attestation can stop the minting of later ones.
    pub minted_wh: u64,
    /// Wh burned since the beginning.
    pub burned_wh: u64,
    /// Bump seed of this account's address.
    pub bump: u8,
}

impl State {
    pub fn count_minted(&mut self, wh: Wh) -> Result<()> {
        let minted = Wh(self.minted_wh).checked_add(wh);
        self.minted_wh = minted.ok_or(EnergyError::Overflow)?.0;
        Ok(())
    }

    pub fn count_burned(&mut self, wh: Wh) -> Result<()> {
        let burned = Wh(self.burned_wh).checked_add(wh);
        self.burned_wh = burned.ok_or(EnergyError::Overflow)?.0;
        Ok(())
    }

    /// Minted - burned = supply = pool. Exact, because no energy ever leaves the pool but by burning.
    pub fn invariant(&self, supply_wh: u64, pool_wh: u64) -> Result<()> {
        let held = Wh(self.minted_wh).checked_sub(Wh(self.burned_wh));
        require!(
            held == Some(Wh(supply_wh)) && supply_wh == pool_wh,
            EnergyError::SupplyMismatch
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(minted_wh: u64, burned_wh: u64) -> State {
        State {
            oracle: Pubkey::default(),
            trading_authority: Pubkey::default(),
            mint: Pubkey::default(),
            pool: Pubkey::default(),
            minted_wh,
            burned_wh,
            bump: 255,
        }
    }

    #[test]
    fn what_is_held_is_minted_less_burned() {
        assert!(state(1_000, 400).invariant(600, 600).is_ok());
        assert!(state(1_000, 400).invariant(600, 601).is_err());
        assert!(state(1_000, 400).invariant(601, 600).is_err());
        assert!(state(400, 1_000).invariant(0, 0).is_err());
    }

    #[test]
    fn counts_stop_at_the_border() {
        let mut state = state(u64::MAX, u64::MAX);
        assert!(state.count_minted(Wh(1)).is_err());
        assert!(state.count_burned(Wh(1)).is_err());
    }
}
