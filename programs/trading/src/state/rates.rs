//! The rates that an interval is settled at: what governance had in force at its start, kept with the settlement.
use crate::errors::{Ruling, TradingError};
use anchor_lang::prelude::*;
use governance::state::RateSet;
use shared::{Micros, PriceMills, Wh};

/// All rates in mills (thousandths of the currency) per kWh.
#[zero_copy]
#[derive(Debug, PartialEq, Eq)]
pub struct Rates {
    /// Unix time since when they were in force.
    pub effective_from: i64,
    /// For the use of the campus grid.
    pub wheeling_mills: u32,
    /// For the platform.
    pub platform_mills: u32,
    /// For energy lost on the way.
    pub loss_mills: u32,
    /// What the utility paid for surplus.
    pub export_tariff_mills: u32,
    /// What the utility took for the rest.
    pub import_tariff_mills: u32,
    /// Zero.
    pub reserved: u32,
}

/// What the buyers of an interval owe beside the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charges {
    pub wheeling: Micros,
    pub platform: Micros,
    pub loss: Micros,
}

impl Charges {
    pub fn total(&self) -> Ruling<Micros> {
        self.wheeling
            .checked_add(self.platform)
            .and_then(|sum| sum.checked_add(self.loss))
            .ok_or(TradingError::Overflow)
    }
}

impl Rates {
    /// The charges on this much energy.
    pub fn charges(&self, bought: Wh) -> Ruling<Charges> {
        let at = |mills| bought.at(PriceMills(mills)).ok_or(TradingError::Overflow);
        Ok(Charges {
            wheeling: at(self.wheeling_mills)?,
            platform: at(self.platform_mills)?,
            loss: at(self.loss_mills)?,
        })
    }
}

impl From<RateSet> for Rates {
    fn from(set: RateSet) -> Self {
        Self {
            effective_from: set.effective_from,
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
        effective_from: 0,
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
