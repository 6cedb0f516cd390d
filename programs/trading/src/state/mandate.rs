//! A mandate: what a wallet has signed that may be bought, sold and debited in its name.
use super::Line;
use crate::errors::{ensure, Ruling, TradingError};
use anchor_lang::prelude::*;
use shared::{PriceMills, Wh};

/// A mandate's reserve is free this long after the end of the last interval that it covers.
pub const RELEASE_S: i64 = 24 * 3_600;
/// How far ahead forward orders may reach.
pub const MAX_HORIZON_S: u32 = 48 * 3_600;
/// How far ahead a mandate may expire: five years.
pub const MAX_TERM_S: i64 = 5 * 366 * 86_400;

/// What a wallet signs.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MandateArgs {
    /// Intervals must end by this unix time; one in the past ends trading.
    pub expiry: i64,
    /// Most to pay for bought energy in mills per kWh, charges included.
    pub max_price_mills: u32,
    /// Least to get for sold energy in mills per kWh.
    pub min_price_mills: u32,
    /// Most to sell, and most to buy, in an interval.
    pub max_wh: u32,
    /// How far ahead forward orders may reach.
    pub horizon_s: u32,
    /// Most to be debited for an interval.
    pub max_debit_micros: u64,
    /// Most to be debited for a delivery day (UTC).
    pub max_day_debit_micros: u64,
    /// Kept for settlement, as far as the balance reaches.
    pub reserve_micros: u64,
    /// The last mandate's plus 1, from 1.
    pub nonce: u64,
}

#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Mandate {
    /// Binds intervals that start at this unix time or later.
    pub valid_from: i64,
    /// Binds intervals that end by this unix time.
    pub expiry: i64,
    /// Most to be debited for an interval.
    pub max_debit_micros: u64,
    /// Most to be debited for a delivery day (UTC).
    pub max_day_debit_micros: u64,
    /// Kept for settlement, as far as the balance reaches.
    pub reserve_micros: u64,
    /// Number of the mandate, from 1.
    pub nonce: u64,
    /// Most to pay for bought energy in mills per kWh, charges included.
    pub max_price_mills: u32,
    /// Least to get for sold energy in mills per kWh.
    pub min_price_mills: u32,
    /// Most to sell, and most to buy, in an interval.
    pub max_wh: u32,
    /// How far ahead forward orders may reach.
    pub horizon_s: u32,
}

impl MandateArgs {
    pub fn require_sane(&self, now: i64) -> Ruling<()> {
        let latest = now.checked_add(MAX_TERM_S).ok_or(TradingError::Overflow)?;
        ensure(
            self.horizon_s <= MAX_HORIZON_S && (0..=latest).contains(&self.expiry),
            TradingError::InvalidMandate,
        )
    }

    pub fn from(self, valid_from: i64) -> Mandate {
        Mandate {
            valid_from,
            expiry: self.expiry,
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
        self.expiry >= mandate.expiry
            && self.max_price_mills >= mandate.max_price_mills
            && self.min_price_mills <= mandate.min_price_mills
            && self.max_wh >= mandate.max_wh
            && self.horizon_s >= mandate.horizon_s
            && self.max_debit_micros >= mandate.max_debit_micros
            && self.max_day_debit_micros >= mandate.max_day_debit_micros
            && self.reserve_micros >= mandate.reserve_micros
    }
}

/// The last multiple of the interval's length up to `at`.
fn aligned(at: i64, interval_s: i64) -> i64 {
    at - at.rem_euclid(interval_s)
}

impl Mandate {
    /// Checks a line's energy, prices and debit against this mandate.
    #[inline(always)]
    pub fn allow(&self, line: &Line) -> Ruling<()> {
        ensure(
            line.sold_wh <= self.max_wh && line.bought_wh <= self.max_wh,
            TradingError::MandateExceededEnergy,
        )?;
        let most = Wh(line.bought_wh.into()).at(PriceMills(self.max_price_mills));
        ensure(
            line.debit_micros <= most.ok_or(TradingError::Overflow)?.0,
            TradingError::MandateExceededMaxPrice,
        )?;
        let least = Wh(line.sold_wh.into()).at(PriceMills(self.min_price_mills));
        ensure(
            line.credit_micros >= least.ok_or(TradingError::Overflow)?.0,
            TradingError::MandateExceededMinPrice,
        )?;
        ensure(
            line.debit_micros <= self.max_debit_micros,
            TradingError::MandateExceededDebit,
        )
    }

    /// When the mandate that follows with these terms binds: a wider one at once, a narrower one after everything that
    /// may have been traded forward under this one; never before this one.
    pub fn successor_from(&self, args: &MandateArgs, now: i64, interval_s: u32) -> Ruling<i64> {
        let first_end = now
            .max(self.valid_from)
            .checked_add(interval_s.into())
            .ok_or(TradingError::Overflow)?;
        let from = if args.widens(self) || self.expiry < first_end {
            now
        } else {
            now.checked_add(i64::from(self.horizon_s) + 1)
                .ok_or(TradingError::Overflow)?
        };
        Ok(from.max(self.valid_from))
    }

    /// Whether an interval starts while this mandate is the newest, were it not for the expiry.
    pub fn has_starts(&self, next_from: i64, interval_s: u32) -> bool {
        aligned(next_from.saturating_sub(1), interval_s.into()) >= self.valid_from
    }

    /// When the reserve is free, given when the next mandate binds. None when the mandate covers no interval at all.
    pub fn released_at(&self, next_from: Option<i64>, interval_s: u32) -> Option<i64> {
        let length = i64::from(interval_s);
        let expires = aligned(self.expiry, length).checked_sub(length)?;
        let last_start = match next_from {
            Some(next) => expires.min(aligned(next.checked_sub(1)?, length)),
            None => expires,
        };
        if last_start < self.valid_from {
            return None;
        }
        last_start.checked_add(length)?.checked_add(RELEASE_S)
    }
}

#[cfg(test)]
mod tests;
