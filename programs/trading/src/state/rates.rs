//! Rates that an interval is settled at: those in force at its start, stored with the settlement.
use crate::errors::{RuleResult, TradingError};
use anchor_lang::prelude::*;
use governance::state::RateSet;
use shared::{Micros, PriceMills, Wh};

/// Rates in mills (thousandths of the currency) per kWh.
#[zero_copy]
#[derive(Debug, PartialEq, Eq)]
pub struct Rates {
    /// Time since when they were in force, in Unix seconds.
    pub effective_from_s: i64,
    /// Charge for the use of the campus grid.
    pub wheeling_mills: u32,
    /// Charge for the platform.
    pub platform_mills: u32,
    /// Charge for grid losses.
    pub loss_mills: u32,
    /// Tariff that the utility paid for surplus energy.
    pub export_tariff_mills: u32,
    /// Tariff that the utility took for the remaining energy.
    pub import_tariff_mills: u32,
    /// Padding, zero.
    pub reserved: u32,
}

/// Charges that the buyers of an interval owe beside the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charges {
    pub wheeling: Micros,
    pub platform: Micros,
    pub loss: Micros,
}

impl Charges {
    pub fn total(&self) -> RuleResult<Micros> {
        self.wheeling
            .checked_add(self.platform)
            .and_then(|sum| sum.checked_add(self.loss))
            .ok_or(TradingError::Overflow)
    }
}

impl Rates {
    /// The charges on `bought` energy.
    pub fn charges(&self, bought: Wh) -> RuleResult<Charges> {
        let charge = |mills| {
            bought
                .cost_at(PriceMills(mills))
                .ok_or(TradingError::Overflow)
        };
        Ok(Charges {
            wheeling: charge(self.wheeling_mills)?,
            platform: charge(self.platform_mills)?,
            loss: charge(self.loss_mills)?,
        })
    }
}

impl From<RateSet> for Rates {
    fn from(set: RateSet) -> Self {
        Self {
            effective_from_s: set.effective_from_s,
            wheeling_mills: set.wheeling_mills,
            platform_mills: set.platform_mills,
            loss_mills: set.loss_mills,
            export_tariff_mills: set.export_tariff_mills,
            import_tariff_mills: set.import_tariff_mills,
            reserved: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: Rates = Rates {
        effective_from_s: 0,
        wheeling_mills: 100,
        platform_mills: 25,
        loss_mills: 5,
        export_tariff_mills: 2_200,
        import_tariff_mills: 5_000,
        reserved: 0,
    };

    #[test]
    fn a_kilowatt_hour_costs_the_rates() {
        let charges = DEFAULTS.charges(Wh(1_000)).unwrap();
        let expected = Charges {
            wheeling: Micros(100_000),
            platform: Micros(25_000),
            loss: Micros(5_000),
        };
        assert_eq!(charges, expected);
        assert_eq!(charges.total(), Ok(Micros(130_000)));
    }

    #[test]
    fn charges_beyond_the_type_are_refused() {
        assert_eq!(DEFAULTS.charges(Wh(u64::MAX)), Err(TradingError::Overflow));
    }
}
