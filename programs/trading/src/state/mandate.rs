//! A mandate: the limits of what may be bought, sold and debited in a wallet's name, signed by the wallet.
use super::Line;
use crate::errors::{ensure, RuleResult, TradingError};
use anchor_lang::prelude::*;
use shared::{PriceMills, Wh};

/// A mandate's reserve is free this many seconds after the end of the last interval that it covers.
pub const RELEASE_S: i64 = 24 * 3_600;
/// Longest horizon of forward orders, in seconds.
pub const MAX_HORIZON_S: u32 = 48 * 3_600;
/// Most seconds until a mandate expires: five years.
pub const MAX_TERM_S: i64 = 5 * 366 * 86_400;

/// Terms that a wallet signs.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MandateArgs {
    /// Intervals must end by this Unix second; one in the past ends trading.
    pub expiry_s: i64,
    /// Most to pay for bought energy in mills per kWh, charges included.
    pub max_price_mills: u32,
    /// Least to get for sold energy in mills per kWh.
    pub min_price_mills: u32,
    /// Most to sell, and most to buy, in an interval, in Wh.
    pub max_wh: u32,
    /// Longest horizon of forward orders, in seconds.
    pub horizon_s: u32,
    /// Most to be debited for an interval, in micros.
    pub max_debit_micros: u64,
    /// Most to be debited for a delivery day (UTC), in micros.
    pub max_day_debit_micros: u64,
    /// Reserve for settlement in micros, as far as the balance reaches.
    pub reserve_micros: u64,
    /// The last mandate's nonce plus 1, from 1.
    pub nonce: u64,
}

#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Mandate {
    /// Binds intervals that start at this Unix second or later.
    pub valid_from_s: i64,
    /// Binds intervals that end by this Unix second.
    pub expiry_s: i64,
    /// Most to be debited for an interval, in micros.
    pub max_debit_micros: u64,
    /// Most to be debited for a delivery day (UTC), in micros.
    pub max_day_debit_micros: u64,
    /// Reserve for settlement in micros, as far as the balance reaches.
    pub reserve_micros: u64,
    /// Nonce of the mandate, from 1.
    pub nonce: u64,
    /// Most to pay for bought energy in mills per kWh, charges included.
    pub max_price_mills: u32,
    /// Least to get for sold energy in mills per kWh.
    pub min_price_mills: u32,
    /// Most to sell, and most to buy, in an interval, in Wh.
    pub max_wh: u32,
    /// Longest horizon of forward orders, in seconds.
    pub horizon_s: u32,
}

impl MandateArgs {
    pub fn require_valid(&self, now_s: i64) -> RuleResult<()> {
        let latest_s = now_s
            .checked_add(MAX_TERM_S)
            .ok_or(TradingError::Overflow)?;
        ensure(
            self.horizon_s <= MAX_HORIZON_S && (0..=latest_s).contains(&self.expiry_s),
            TradingError::InvalidMandate,
        )
    }

    pub fn into_mandate(self, valid_from_s: i64) -> Mandate {
        Mandate {
            valid_from_s,
            expiry_s: self.expiry_s,
            max_debit_micros: self.max_debit_micros,
            max_day_debit_micros: self.max_day_debit_micros,
            reserve_micros: self.reserve_micros,
            nonce: self.nonce,
            max_price_mills: self.max_price_mills,
            min_price_mills: self.min_price_mills,
            max_wh: self.max_wh,
            horizon_s: self.horizon_s,
        }
    }

    /// Whether this allows everything that `mandate` allows.
    fn widens(&self, mandate: &Mandate) -> bool {
        self.expiry_s >= mandate.expiry_s
            && self.max_price_mills >= mandate.max_price_mills
            && self.min_price_mills <= mandate.min_price_mills
            && self.max_wh >= mandate.max_wh
            && self.horizon_s >= mandate.horizon_s
            && self.max_debit_micros >= mandate.max_debit_micros
            && self.max_day_debit_micros >= mandate.max_day_debit_micros
            && self.reserve_micros >= mandate.reserve_micros
    }
}

/// The last multiple of the interval's length up to `at_s`.
fn floor_to_interval(at_s: i64, interval_s: i64) -> i64 {
    at_s - at_s.rem_euclid(interval_s)
}

impl Mandate {
    /// Checks a line's energy, prices and debit against this mandate.
    #[inline(always)]
    pub fn check_line(&self, line: &Line) -> RuleResult<()> {
        ensure(
            line.sold_wh <= self.max_wh && line.bought_wh <= self.max_wh,
            TradingError::MandateExceededEnergy,
        )?;
        let most = Wh(line.bought_wh.into()).cost_at(PriceMills(self.max_price_mills));
        ensure(
            line.debit_micros <= most.ok_or(TradingError::Overflow)?.0,
            TradingError::MandateExceededMaxPrice,
        )?;
        let least = Wh(line.sold_wh.into()).cost_at(PriceMills(self.min_price_mills));
        ensure(
            line.credit_micros >= least.ok_or(TradingError::Overflow)?.0,
            TradingError::MandateExceededMinPrice,
        )?;
        ensure(
            line.debit_micros <= self.max_debit_micros,
            TradingError::MandateExceededDebit,
        )
    }

    /// Unix second from which the next mandate with these terms binds: a wider one at once, a narrower one after
    /// everything that may have been traded forward under this one; never before this one.
    pub fn successor_from_s(
        &self,
        args: &MandateArgs,
        now_s: i64,
        interval_s: u32,
    ) -> RuleResult<i64> {
        let first_end_s = now_s
            .max(self.valid_from_s)
            .checked_add(interval_s.into())
            .ok_or(TradingError::Overflow)?;
        let from_s = if args.widens(self) || self.expiry_s < first_end_s {
            now_s
        } else {
            now_s
                .checked_add(i64::from(self.horizon_s) + 1)
                .ok_or(TradingError::Overflow)?
        };
        Ok(from_s.max(self.valid_from_s))
    }

    /// Whether an interval starts from `valid_from_s` to before `next_from_s`, whatever the expiry.
    pub fn covers_any_start(&self, next_from_s: i64, interval_s: u32) -> bool {
        floor_to_interval(next_from_s.saturating_sub(1), interval_s.into()) >= self.valid_from_s
    }

    /// Unix second at which the reserve is free, given when the next mandate binds. None when the mandate covers no
    /// interval.
    pub fn released_at_s(&self, next_from_s: Option<i64>, interval_s: u32) -> Option<i64> {
        let interval_s = i64::from(interval_s);
        let expiring_start_s =
            floor_to_interval(self.expiry_s, interval_s).checked_sub(interval_s)?;
        let last_start_s = match next_from_s {
            Some(next_s) => {
                expiring_start_s.min(floor_to_interval(next_s.checked_sub(1)?, interval_s))
            }
            None => expiring_start_s,
        };
        if last_start_s < self.valid_from_s {
            return None;
        }
        last_start_s.checked_add(interval_s)?.checked_add(RELEASE_S)
    }
}

#[cfg(test)]
mod tests;
