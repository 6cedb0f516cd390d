//! A rate set: the charges on a kWh beside its price, and the utility's tariffs.
use crate::errors::GovernanceError;
use anchor_lang::prelude::*;

/// Highest rate: above any real tariff, and low enough that the sum of all rates fits a u32.
pub const MAX_PRICE_MILLS: u32 = 100_000_000;

/// Rates in mills (thousandths of the currency) per kWh.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSet {
    /// In force for intervals that start at this Unix second or later.
    pub effective_from_s: i64,
    /// Charge for the use of the campus grid.
    pub wheeling_mills: u32,
    /// Charge for the platform.
    pub platform_mills: u32,
    /// Charge for grid losses.
    pub loss_mills: u32,
    /// Tariff that the utility pays for surplus energy.
    pub export_tariff_mills: u32,
    /// Tariff that the utility takes for the remaining energy.
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
                && self.effective_from_s >= 0,
            GovernanceError::InvalidRates
        );
        Ok(())
    }
}
