//! The settlement's steps, in order and out of it.
use super::*;
use crate::state::MandateArgs;
use bytemuck::Zeroable;

const START_S: i64 = 1_750_000_500;
const EPOCH_DAY: u32 = 20_254;
const PAYING: Line = Line {
    sold_wh: 0,
    bought_wh: 100,
    credit_micros: 0,
    debit_micros: 413_000,
};
const RECEIVING: Line = Line {
    sold_wh: 100,
    bought_wh: 0,
    credit_micros: 400_000,
    debit_micros: 0,
};

const NOBODY: CreditingStarts = [0; 8];

fn rates() -> Rates {
    Rates {
        wheeling_mills: 100,
        platform_mills: 25,
        loss_mills: 5,
        ..Rates::zeroed()
    }
}

fn commitment(root: [u8; 32]) -> Commitment {
    Commitment {
        lines_root: root,
        line_count: 2,
        sold_wh: 100,
        bought_wh: 100,
        credit_micros: 400_000,
        debit_micros: 413_000,
        clearing_price_mills: 4_000,
        journal_hash: [1; 32],
    }
}

fn opened() -> IntervalSettlement {
    let mut settlement = IntervalSettlement::zeroed();
    settlement.start_s = START_S;
    settlement.end_s = START_S + 900;
    let leaves = [
        PAYING.leaf(START_S, 0, &Pubkey::default()),
        RECEIVING.leaf(START_S, 1, &Pubkey::default()),
    ];
    let root = shared::merkle::node(&leaves[0], &leaves[1]);
    settlement.commit(&commitment(root), rates()).unwrap();
    settlement
}

fn account() -> Account {
    let mut account = Account::zeroed();
    account.balance_micros = 1_000_000;
    let mandate = MandateArgs {
        expiry_s: START_S + 900,
        max_price_mills: 5_000,
        min_price_mills: 4_000,
        max_wh: 1_000,
        max_debit_micros: 1_000_000,
        max_day_debit_micros: 1_000_000,
        nonce: 1,
        ..MandateArgs::default()
    };
    account.set_mandate(mandate, START_S, 900).unwrap();
    account
}

#[test]
fn what_comes_in_goes_out_and_the_charges_are_left() {
    let (mut settlement, mut payer, mut receiver) = (opened(), account(), account());
    let mut crediting_starts_s = NOBODY;
    settlement
        .settle(&PAYING, &mut payer, EPOCH_DAY, &mut crediting_starts_s)
        .unwrap();
    assert_eq!(
        (settlement.escrow_micros, crediting_starts_s),
        (413_000, NOBODY)
    );
    let early = settlement.close(START_S, &mut crediting_starts_s);
    assert_eq!(early, Err(TradingError::LinesMissing));
    settlement
        .settle(
            &RECEIVING,
            &mut receiver,
            EPOCH_DAY,
            &mut crediting_starts_s,
        )
        .unwrap();
    settlement.invariant().unwrap();
    assert_eq!(
        receiver.credits.open_total(&crediting_starts_s),
        Ok(Micros(400_000))
    );
    let charges = settlement
        .close(START_S + 1_000, &mut crediting_starts_s)
        .unwrap();
    assert_eq!(
        receiver.credits.open_total(&crediting_starts_s),
        Ok(Micros(0))
    );
    assert_eq!(charges.total(), Ok(Micros(13_000)));
    assert_eq!(
        (payer.balance_micros, receiver.balance_micros),
        (587_000, 1_400_000)
    );
    assert_eq!(
        (settlement.status, settlement.escrow_micros),
        (status::CLOSED, 0)
    );
    let again = settlement.close(START_S, &mut crediting_starts_s);
    assert_eq!(again, Err(TradingError::NotOpen));
}

#[test]
fn payer_and_receiver_are_held_to_their_mandates() {
    let (mut settlement, mut payer, mut stranger) = (opened(), account(), Account::zeroed());
    let mut crediting_starts_s = NOBODY;
    stranger.balance_micros = 1_000_000;
    let refused =
        settlement
            .clone()
            .settle(&PAYING, &mut stranger, EPOCH_DAY, &mut crediting_starts_s);
    assert_eq!(refused, Err(TradingError::MandateMissing));
    settlement
        .settle(&PAYING, &mut payer, EPOCH_DAY, &mut crediting_starts_s)
        .unwrap();
    settlement.receiving = 1;
    let refused = settlement.settle(
        &RECEIVING,
        &mut stranger,
        EPOCH_DAY,
        &mut crediting_starts_s,
    );
    assert_eq!(refused, Err(TradingError::MandateMissing));
}

#[test]
fn what_was_settled_comes_back_whole() {
    let (mut settlement, mut payer, mut receiver) = (opened(), account(), account());
    let (before, mut crediting_starts_s) = ([payer, receiver], NOBODY);
    settlement
        .settle(&PAYING, &mut payer, EPOCH_DAY, &mut crediting_starts_s)
        .unwrap();
    settlement
        .settle(
            &RECEIVING,
            &mut receiver,
            EPOCH_DAY,
            &mut crediting_starts_s,
        )
        .unwrap();
    let leaves = [
        PAYING.leaf(START_S, 0, &payer.wallet),
        RECEIVING.leaf(START_S, 1, &receiver.wallet),
    ];
    let unready = settlement.require_settled(0, &leaves, &[]);
    assert_eq!(unready, Err(TradingError::NotReturning));
    settlement.abort(true, START_S + 900).unwrap();
    settlement.require_settled(0, &leaves, &[]).unwrap();
    settlement
        .require_settled(1, &leaves[1..], &leaves[..1])
        .unwrap();
    let swapped = settlement.require_settled(0, &[leaves[1], leaves[0]], &[]);
    assert_eq!(swapped, Err(TradingError::NotSettledLines));
    let short = settlement
        .clone()
        .return_line(&PAYING, &mut payer.clone(), EPOCH_DAY);
    assert_eq!(short, Err(TradingError::EscrowShort));
    settlement
        .return_line(&RECEIVING, &mut receiver, EPOCH_DAY)
        .unwrap();
    settlement.invariant().unwrap();
    let missing = settlement.close_aborted(START_S, &mut crediting_starts_s);
    assert_eq!(missing, Err(TradingError::LinesMissing));
    settlement
        .return_line(&PAYING, &mut payer, EPOCH_DAY)
        .unwrap();
    settlement.invariant().unwrap();
    for (after, before) in [payer, receiver].iter().zip(before) {
        assert_eq!(after.balance_micros, before.balance_micros);
        assert_eq!(DayDebit::spent(&after.day_debits, EPOCH_DAY), Ok(Micros(0)));
    }
    settlement
        .close_aborted(START_S + 950, &mut crediting_starts_s)
        .unwrap();
    assert_eq!(
        (settlement.status, crediting_starts_s),
        (status::ABORTED, NOBODY)
    );
}

#[test]
fn anybody_aborts_a_day_after_the_interval_and_the_settler_before() {
    let end_s = START_S + 900;
    let abort = |by_settler, now_s| opened().abort(by_settler, now_s);
    assert_eq!(abort(true, end_s), Ok(()));
    let early = abort(false, end_s + ABORT_AFTER_S - 1);
    assert_eq!(early, Err(TradingError::TooEarlyToAbort));
    assert_eq!(abort(false, end_s + ABORT_AFTER_S), Ok(()));
    let mut closed = opened();
    closed.status = status::CLOSED;
    assert_eq!(closed.abort(true, end_s), Err(TradingError::NotOpen));
}

#[test]
fn lines_beyond_the_commitment_are_refused() {
    let (mut settlement, mut account) = (opened(), account());
    let dearer = Line {
        debit_micros: 413_001,
        ..PAYING
    };
    let refused = settlement.settle(&dearer, &mut account, EPOCH_DAY, &mut NOBODY.clone());
    assert_eq!(refused, Err(TradingError::SumMismatch));
    settlement.cursor = settlement.line_count;
    let refused = settlement.settle(&PAYING, &mut account, EPOCH_DAY, &mut NOBODY.clone());
    assert_eq!(refused, Err(TradingError::TooManyLines));
}

#[test]
fn batches_come_in_order() {
    let mut settlement = opened();
    settlement.cursor = 1;
    assert_eq!(
        settlement.require_next(0),
        Err(TradingError::AlreadySettled)
    );
    assert_eq!(settlement.require_next(1), Ok(()));
    assert_eq!(settlement.require_next(2), Err(TradingError::OutOfOrder));
    settlement.status = status::CLOSED;
    assert_eq!(settlement.require_next(1), Err(TradingError::NotOpen));
}

#[test]
fn a_commitment_must_agree_with_the_rates() {
    let good = commitment([0; 32]);
    let with = |change: fn(&mut Commitment)| {
        let mut bad = good;
        change(&mut bad);
        IntervalSettlement::zeroed().commit(&bad, rates())
    };
    assert_eq!(with(|_| ()), Ok(()));
    assert_eq!(
        with(|c| c.line_count = 0),
        Err(TradingError::InvalidLineCount)
    );
    assert_eq!(
        with(|c| c.line_count = 65_536),
        Err(TradingError::InvalidLineCount)
    );
    assert_eq!(with(|c| c.sold_wh = 99), Err(TradingError::SumMismatch));
    assert_eq!(
        with(|c| c.credit_micros = 500_000),
        Err(TradingError::SumMismatch)
    );
    assert_eq!(
        with(|c| c.debit_micros += 1),
        Err(TradingError::SumMismatch)
    );
    assert_eq!(with(|c| c.bought_wh = 0), Err(TradingError::NothingToDo));
}

#[test]
fn data_is_split_behind_the_fields() {
    let mut data = vec![0; IntervalSettlement::size_for(9)];
    assert!(IntervalSettlement::split(&mut data).is_err());
    data[..8].copy_from_slice(IntervalSettlement::DISCRIMINATOR);
    let (fields, seen) = IntervalSettlement::split(&mut data).unwrap();
    assert_eq!((fields.cursor, seen.bits.len()), (0, 2));
    assert!(IntervalSettlement::split(&mut data[..700]).is_err());
}

#[test]
fn a_committed_line_is_known_by_its_place_and_wallet() {
    let wallets = [1, 2].map(|byte| Pubkey::new_from_array([byte; 32]));
    let leaves = [
        PAYING.leaf(START_S, 0, &wallets[0]),
        RECEIVING.leaf(START_S, 1, &wallets[1]),
    ];
    let mut settlement = IntervalSettlement::zeroed();
    settlement.start_s = START_S;
    settlement.line_count = 2;
    settlement.lines_root = shared::merkle::node(&leaves[0], &leaves[1]);
    let known = |settlement: &IntervalSettlement, line: &Line, index, wallet: &Pubkey| {
        settlement.require_committed(line, index, wallet, &leaves[..1])
    };
    for status in 0..=u8::MAX {
        settlement.status = status;
        let counts = [status::OPEN, status::CLOSED].contains(&status);
        let found = known(&settlement, &RECEIVING, 1, &wallets[1]);
        let expected = if counts {
            Ok(())
        } else {
            Err(TradingError::NoLinesCount)
        };
        assert_eq!(found, expected, "status {status}");
        assert_eq!(settlement.is_final(), status == status::CLOSED);
    }
    settlement.status = status::CLOSED;
    for (line, index, wallet) in [
        (PAYING, 1, wallets[1]),
        (RECEIVING, 0, wallets[1]),
        (RECEIVING, 2, wallets[1]),
        (RECEIVING, u32::MAX, wallets[1]),
        (RECEIVING, 1, wallets[0]),
    ] {
        let found = known(&settlement, &line, index, &wallet);
        assert_eq!(found, Err(TradingError::NotCommittedLine));
    }
}
