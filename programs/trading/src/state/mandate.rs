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
mod tests {
    use super::*;

    const WIDE: MandateArgs = MandateArgs {
        expiry: 1_000_000,
        max_price_mills: 5_000,
        min_price_mills: 2_200,
        max_wh: 1_000,
        horizon_s: 3_600,
        max_debit_micros: 2_000_000,
        max_day_debit_micros: 9_000_000,
        reserve_micros: 3_000_000,
        nonce: 1,
    };

    const LINE: Line = Line {
        sold_wh: 100,
        bought_wh: 400,
        credit_micros: 220_000,
        debit_micros: 2_000_000,
    };

    #[test]
    fn a_line_at_every_limit_is_allowed() {
        WIDE.from(0).allow(&LINE).unwrap();
        let line = Line {
            sold_wh: 1_000,
            credit_micros: 2_200_000,
            ..LINE
        };
        WIDE.from(0).allow(&line).unwrap();
    }

    #[test]
    fn a_line_beyond_a_limit_is_refused_by_its_name() {
        use TradingError::*;
        let refused = |line: Line| WIDE.from(0).allow(&line).unwrap_err();
        let sold = Line {
            sold_wh: 1_001,
            ..LINE
        };
        let bought = Line {
            bought_wh: 1_001,
            ..LINE
        };
        let dear = Line {
            bought_wh: 399,
            ..LINE
        };
        let cheap = Line {
            credit_micros: 219_999,
            ..LINE
        };
        let costly = Line {
            bought_wh: 500,
            debit_micros: 2_000_001,
            ..LINE
        };
        assert_eq!(refused(sold), MandateExceededEnergy);
        assert_eq!(refused(bought), MandateExceededEnergy);
        assert_eq!(refused(dear), MandateExceededMaxPrice);
        assert_eq!(refused(cheap), MandateExceededMinPrice);
        assert_eq!(refused(costly), MandateExceededDebit);
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let args = MandateArgs {
            max_price_mills: u32::MAX,
            min_price_mills: u32::MAX,
            max_wh: u32::MAX,
            max_debit_micros: u64::MAX,
            ..WIDE
        };
        let line = Line {
            sold_wh: u32::MAX,
            bought_wh: u32::MAX,
            credit_micros: u64::MAX,
            debit_micros: u64::MAX,
        };
        let refused = args.from(0).allow(&line);
        assert_eq!(refused, Err(TradingError::MandateExceededMaxPrice));
    }

    #[test]
    fn every_narrower_term_waits_for_the_horizon() {
        let now = 10_000;
        let narrower = [
            MandateArgs {
                expiry: WIDE.expiry - 1,
                ..WIDE
            },
            MandateArgs {
                max_price_mills: WIDE.max_price_mills - 1,
                ..WIDE
            },
            MandateArgs {
                min_price_mills: WIDE.min_price_mills + 1,
                ..WIDE
            },
            MandateArgs {
                max_wh: WIDE.max_wh - 1,
                ..WIDE
            },
            MandateArgs {
                horizon_s: WIDE.horizon_s - 1,
                ..WIDE
            },
            MandateArgs {
                max_debit_micros: WIDE.max_debit_micros - 1,
                ..WIDE
            },
            MandateArgs {
                max_day_debit_micros: WIDE.max_day_debit_micros - 1,
                ..WIDE
            },
            MandateArgs {
                reserve_micros: WIDE.reserve_micros - 1,
                ..WIDE
            },
        ];
        for args in narrower {
            let from = WIDE.from(0).successor_from(&args, now, 900);
            assert_eq!(from, Ok(now + 3_601), "{args:?}");
        }
        assert_eq!(WIDE.from(0).successor_from(&WIDE, now, 900), Ok(now));
    }

    #[test]
    fn a_successor_never_binds_before_its_predecessor() {
        let pending = WIDE.from(50_000);
        assert_eq!(pending.successor_from(&WIDE, 10_000, 900), Ok(50_000));
        let narrower = MandateArgs { max_wh: 0, ..WIDE };
        assert_eq!(pending.successor_from(&narrower, 10_000, 900), Ok(50_000));
        assert_eq!(pending.successor_from(&narrower, 49_000, 900), Ok(52_601));
    }

    #[test]
    fn after_the_expiry_anything_goes_at_once() {
        let narrower = MandateArgs { max_wh: 0, ..WIDE };
        let at = WIDE.expiry - 900;
        let from = |now| WIDE.from(0).successor_from(&narrower, now, 900);
        assert_eq!(from(at), Ok(at + 3_601));
        assert_eq!(from(at + 1), Ok(at + 1));
    }

    #[test]
    fn the_reserve_is_free_a_day_after_the_last_covered_interval() {
        let day = RELEASE_S;
        // expiry 1,000,000: the last interval that ends by then is [998,100, 999,000)
        assert_eq!(WIDE.from(0).released_at(None, 900), Some(999_900 + day));
        // the next binds from 1,800: the last interval before it starts at 900
        assert_eq!(
            WIDE.from(0).released_at(Some(1_800), 900),
            Some(1_800 + day)
        );
        assert_eq!(
            WIDE.from(0).released_at(Some(1_801), 900),
            Some(2_700 + day)
        );
        assert_eq!(WIDE.from(901).released_at(Some(1_800), 900), None);
        assert_eq!(
            WIDE.from(900).released_at(Some(1_800), 900),
            Some(1_800 + day)
        );
        assert_eq!(WIDE.from(999_001).released_at(None, 900), None);
        let ended = MandateArgs { expiry: 0, ..WIDE };
        assert_eq!(ended.from(10).released_at(None, 900), None);
    }

    #[test]
    fn only_sane_terms_are_taken() {
        let sane = |args: MandateArgs| args.require_sane(1_000).is_ok();
        assert!(sane(WIDE));
        assert!(sane(MandateArgs {
            expiry: 1_000 + MAX_TERM_S,
            horizon_s: MAX_HORIZON_S,
            ..WIDE
        }));
        for (expiry, horizon_s) in [
            (-1, 0),
            (1_001 + MAX_TERM_S, 0),
            (i64::MAX, 0),
            (5, MAX_HORIZON_S + 1),
        ] {
            assert!(!sane(MandateArgs {
                expiry,
                horizon_s,
                ..WIDE
            }));
        }
    }
}
