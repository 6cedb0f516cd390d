//! A set of rates: what a kWh costs beside its price, and what the utility pays and takes.
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

/// Above any real tariff, and low enough that the sum of all rates fits a u32.
pub const MAX_PRICE_MILLS: u32 = 100_000_000;

/// All rates in mills (thousandths of the currency) per kWh.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSet {
    /// In force for intervals that start at this unix time or later.
    pub effective_from: i64,
    /// For the use of the campus grid.
    pub wheeling_mills: u32,
    /// For the platform.
    pub platform_mills: u32,
    /// For energy lost on the way.
    pub loss_mills: u32,
    /// What the utility pays for surplus.
    pub export_tariff_mills: u32,
    /// What the utility takes for the rest.
    pub import_tariff_mills: u32,
}

impl RateSet {
    pub fn invariant(&self) -> Result<()> {
        let rates = [
            self.wheeling_mills,
            self.platform_mills,
            self.loss_mills,
            self.export_tariff_mills,
            self.import_tariff_mills,
        ];
        require!(
            rates.iter().all(|mills| *mills <= MAX_PRICE_MILLS)
                && self.export_tariff_mills <= self.import_tariff_mills
                && self.effective_from >= 0,
            GovernanceError::InvalidRates
        );
        Ok(())
    }
}
