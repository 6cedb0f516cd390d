//! A mandate's limits, and when one gives way to the next.
use super::*;

const WIDE: MandateArgs = MandateArgs {
    expiry_s: 1_000_000,
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
    WIDE.into_mandate(0).check_line(&LINE).unwrap();
    let line = Line {
        sold_wh: 1_000,
        credit_micros: 2_200_000,
        ..LINE
    };
    WIDE.into_mandate(0).check_line(&line).unwrap();
}

#[test]
fn a_line_beyond_a_limit_is_refused_by_its_name() {
    use TradingError::*;
    let refused = |line: Line| WIDE.into_mandate(0).check_line(&line).unwrap_err();
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
    let refused = args.into_mandate(0).check_line(&line);
    assert_eq!(refused, Err(TradingError::MandateExceededMaxPrice));
}

#[test]
fn every_narrower_term_waits_for_the_horizon() {
    let now_s = 10_000;
    let narrower = [
        MandateArgs {
            expiry_s: WIDE.expiry_s - 1,
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
        let from_s = WIDE.into_mandate(0).successor_from_s(&args, now_s, 900);
        assert_eq!(from_s, Ok(now_s + 3_601), "{args:?}");
    }
    assert_eq!(
        WIDE.into_mandate(0).successor_from_s(&WIDE, now_s, 900),
        Ok(now_s)
    );
}

#[test]
fn a_successor_never_binds_before_its_predecessor() {
    let pending = WIDE.into_mandate(50_000);
    assert_eq!(pending.successor_from_s(&WIDE, 10_000, 900), Ok(50_000));
    let narrower = MandateArgs { max_wh: 0, ..WIDE };
    assert_eq!(pending.successor_from_s(&narrower, 10_000, 900), Ok(50_000));
    assert_eq!(pending.successor_from_s(&narrower, 49_000, 900), Ok(52_601));
}

#[test]
fn after_the_expiry_anything_goes_at_once() {
    let narrower = MandateArgs { max_wh: 0, ..WIDE };
    let at_s = WIDE.expiry_s - 900;
    let from_s = |now_s| WIDE.into_mandate(0).successor_from_s(&narrower, now_s, 900);
    assert_eq!(from_s(at_s), Ok(at_s + 3_601));
    assert_eq!(from_s(at_s + 1), Ok(at_s + 1));
}

#[test]
fn the_reserve_is_free_a_day_after_the_last_covered_interval() {
    let day = RELEASE_S;
    // expiry 1,000,000: the last interval that ends by then is [998,100, 999,000)
    assert_eq!(
        WIDE.into_mandate(0).released_at_s(None, 900),
        Some(999_900 + day)
    );
    // the next binds from 1,800: the last interval before it starts at 900
    assert_eq!(
        WIDE.into_mandate(0).released_at_s(Some(1_800), 900),
        Some(1_800 + day)
    );
    assert_eq!(
        WIDE.into_mandate(0).released_at_s(Some(1_801), 900),
        Some(2_700 + day)
    );
    assert_eq!(WIDE.into_mandate(901).released_at_s(Some(1_800), 900), None);
    assert_eq!(
        WIDE.into_mandate(900).released_at_s(Some(1_800), 900),
        Some(1_800 + day)
    );
    assert_eq!(WIDE.into_mandate(999_001).released_at_s(None, 900), None);
    let ended = MandateArgs {
        expiry_s: 0,
        ..WIDE
    };
    assert_eq!(ended.into_mandate(10).released_at_s(None, 900), None);
}

#[test]
fn only_sane_terms_are_taken() {
    let sane = |args: MandateArgs| args.require_valid(1_000).is_ok();
    assert!(sane(WIDE));
    assert!(sane(MandateArgs {
        expiry_s: 1_000 + MAX_TERM_S,
        horizon_s: MAX_HORIZON_S,
        ..WIDE
    }));
    for (expiry_s, horizon_s) in [
        (-1, 0),
        (1_001 + MAX_TERM_S, 0),
        (i64::MAX, 0),
        (5, MAX_HORIZON_S + 1),
    ] {
        assert!(!sane(MandateArgs {
            expiry_s,
            horizon_s,
            ..WIDE
        }));
    }
}
