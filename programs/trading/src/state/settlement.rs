//! The settlement of an interval: what was committed to, and how far its lines have moved their money.
//!
//! Paying lines come first and fill the escrow, receiving lines are credited from it, each within its account's mandate.
//! Nothing is final before the close, which knows that the lines are those committed to: until then no credit is spent,
//! and the whole settlement can be aborted and returned (`returning`). So whatever stops it, nobody's money stays in it.
use super::{free_place, take_place, Account, Charges, Crediting, DayDebit, Line, Rates, Seen};
use crate::errors::{ensure, Ruling, TradingError};
use anchor_lang::{prelude::*, Discriminator};
use shared::{
    merkle::{Frontier, DEPTH},
    Micros, Wh,
};

/// How long after an interval's end its settlement may open.
pub const OPEN_WINDOW_S: i64 = 12 * 3_600;
/// How long after an interval's end anybody may abort its settlement.
pub const ABORT_AFTER_S: i64 = 24 * 3_600;
const MAX_LINES: u32 = (1 << DEPTH) - 1;

/// How far a settlement has come.
pub mod status {
    /// Lines are being settled.
    pub const OPEN: u8 = 1;
    /// All lines are settled, the charges paid out and the energy burned.
    pub const CLOSED: u8 = 2;
    /// Aborted and returned: as if nothing had been traded.
    pub const ABORTED: u8 = 3;
    /// Closed without lines: nothing was traded, or it was too late.
    pub const EMPTY: u8 = 4;
    /// Aborted; lines are being returned.
    pub const RETURNING: u8 = 5;
}

/// What the settler commits to before any money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// Merkle root over all lines.
    pub lines_root: [u8; 32],
    /// How many there are.
    pub line_count: u32,
    /// Their totals.
    pub sold_wh: u64,
    pub bought_wh: u64,
    pub credit_micros: u64,
    pub debit_micros: u64,
    /// Of the ex-post auction; 0 when nothing was cleared there.
    pub clearing_price_mills: u32,
    /// SHA-256 of the interval's published orders and trades.
    pub journal_hash: [u8; 32],
}

/// Behind the fields stands one bit for each account of the market (`Seen`).
#[account(zero_copy)]
#[derive(Debug)]
pub struct IntervalSettlement {
    /// First unix second of the interval.
    pub start: i64,
    /// First unix second after it.
    pub end: i64,
    /// Unix time when the settlement opened.
    pub opened_at: i64,
    /// Unix time when it closed; 0 before.
    pub closed_at: i64,
    /// Committed: sum of the lines' sold Wh.
    pub sold_wh: u64,
    /// Committed: sum of the lines' bought Wh.
    pub bought_wh: u64,
    /// Committed: sum of the lines' credits.
    pub credit_micros: u64,
    /// Committed: sum of the lines' debits.
    pub debit_micros: u64,
    /// Sold Wh of the lines so far.
    pub settled_sold_wh: u64,
    /// Bought Wh of the lines so far.
    pub settled_bought_wh: u64,
    /// Credits of the lines so far.
    pub settled_credit_micros: u64,
    /// Debits of the lines so far.
    pub settled_debit_micros: u64,
    /// Paid by paying lines and not credited to receiving lines or paid to vaults.
    pub escrow_micros: u64,
    /// The rates in force at the interval's start.
    pub rates: Rates,
    /// Committed: Merkle root over all lines.
    pub lines_root: [u8; 32],
    /// Committed: SHA-256 of the interval's published orders and trades.
    pub journal_hash: [u8; 32],
    /// Merkle root over the lines that were settled when it was aborted; zero before.
    pub settled_root: [u8; 32],
    /// Roots of the complete subtrees of the lines so far.
    pub frontier: [[u8; 32]; 16],
    /// Committed: number of lines.
    pub line_count: u32,
    /// The next line's number.
    pub cursor: u32,
    /// Committed: price of the ex-post auction.
    pub clearing_price_mills: u32,
    /// Accounts of the market when the settlement opened: the number of bits behind.
    pub accounts: u32,
    /// Lines returned since it was aborted.
    pub returned: u32,
    /// One of `status`.
    pub status: u8,
    /// 1 once a receiving line was credited: no paying line follows.
    pub receiving: u8,
    /// Of its credits, among the market's, while `receiving` is 1.
    pub place: u8,
    /// Of this account's address.
    pub bump: u8,
    /// Zero.
    pub reserved: [u8; 8],
}

impl IntervalSettlement {
    /// Bytes of the fields with the discriminator.
    const FIXED: usize = 8 + core::mem::size_of::<Self>();

    /// Bytes of a settlement in a market with this many accounts.
    pub const fn size_for(accounts: u32) -> usize {
        Self::FIXED + Seen::size_for(accounts)
    }

    /// The fields and the bits of a settlement's data, whose owner and discriminator have been checked.
    pub fn split(data: &mut [u8]) -> Ruling<(&mut Self, Seen<'_>)> {
        ensure(
            data.len() >= Self::FIXED && data.starts_with(Self::DISCRIMINATOR),
            TradingError::Overflow,
        )?;
        let (fixed, bits) = data.split_at_mut(Self::FIXED);
        let fields = bytemuck::try_from_bytes_mut(&mut fixed[8..]);
        let fields: &mut Self = fields.map_err(|_| TradingError::Overflow)?;
        let accounts = fields.accounts;
        Ok((fields, Seen { bits, accounts }))
    }

    /// Takes the settler's commitment, if its totals agree with the rates.
    pub fn commit(&mut self, commitment: &Commitment, rates: Rates) -> Ruling<()> {
        ensure(
            (1..=MAX_LINES).contains(&commitment.line_count),
            TradingError::InvalidLineCount,
        )?;
        ensure(commitment.bought_wh > 0, TradingError::NothingToDo)?;
        self.lines_root = commitment.lines_root;
        self.line_count = commitment.line_count;
        self.sold_wh = commitment.sold_wh;
        self.bought_wh = commitment.bought_wh;
        self.credit_micros = commitment.credit_micros;
        self.debit_micros = commitment.debit_micros;
        self.clearing_price_mills = commitment.clearing_price_mills;
        self.journal_hash = commitment.journal_hash;
        self.rates = rates;
        self.status = status::OPEN;
        self.charges().map(|_| ())
    }

    /// The charges on all lines. Fails unless sold = bought and debit - credit = charges.
    fn charges(&self) -> Ruling<Charges> {
        ensure(self.sold_wh == self.bought_wh, TradingError::SumMismatch)?;
        let charges = self.rates.charges(Wh(self.bought_wh))?;
        let rest = Micros(self.debit_micros).checked_sub(Micros(self.credit_micros));
        ensure(rest == Some(charges.total()?), TradingError::SumMismatch)?;
        Ok(charges)
    }

    /// Fails unless a batch that begins with line `start_index` is the next one.
    pub fn require_next(&self, start_index: u32) -> Ruling<()> {
        ensure(start_index >= self.cursor, TradingError::AlreadySettled)?;
        ensure(self.status == status::OPEN, TradingError::NotOpen)?;
        ensure(start_index == self.cursor, TradingError::OutOfOrder)
    }

    /// Settles the next line. `crediting` has the market's places for settlements that credit accounts.
    #[inline(always)]
    pub fn settle(
        &mut self,
        line: &Line,
        account: &mut Account,
        day: u32,
        crediting: &mut Crediting,
    ) -> Ruling<()> {
        ensure(self.cursor < self.line_count, TradingError::TooManyLines)?;
        self.append(line, &account.wallet)?;
        self.add(line)?;
        account.allow(line, self.start, self.end, day)?;
        if let Some(net) = line.to_pay() {
            ensure(self.receiving == 0, TradingError::PayerAfterReceiver)?;
            account.pay(net, crediting)?;
            let escrow = Micros(self.escrow_micros).checked_add(net);
            self.escrow_micros = escrow.ok_or(TradingError::Overflow)?.0;
        } else {
            let net = line.to_receive().ok_or(TradingError::Overflow)?;
            let escrow = Micros(self.escrow_micros).checked_sub(net);
            self.escrow_micros = escrow.ok_or(TradingError::EscrowShort)?.0;
            if self.receiving == 0 {
                self.place = take_place(crediting, self.start)?;
                self.receiving = 1;
            }
            account.credit(net, self.place, self.start)?;
        }
        account.count_day(line, day);
        Ok(())
    }

    #[inline(always)]
    fn append(&mut self, line: &Line, wallet: &Pubkey) -> Ruling<()> {
        let mut leaf = [0; 32];
        line.leaf_into(&mut leaf, self.start, self.cursor, wallet);
        let mut frontier = Frontier {
            peaks: &mut self.frontier,
            count: self.cursor,
        };
        frontier
            .append(&mut leaf)
            .ok_or(TradingError::TooManyLines)?;
        self.cursor = frontier.count;
        Ok(())
    }

    /// Adds a line to the totals, which must stay within those committed to.
    #[inline(always)]
    fn add(&mut self, line: &Line) -> Ruling<()> {
        let wh = |sum: u64, more: u32| Wh(sum).checked_add(Wh(more.into())).map(|sum| sum.0);
        let micros = |sum: u64, more: u64| Micros(sum).checked_add(Micros(more)).map(|sum| sum.0);
        let sums = (
            wh(self.settled_sold_wh, line.sold_wh),
            wh(self.settled_bought_wh, line.bought_wh),
            micros(self.settled_credit_micros, line.credit_micros),
            micros(self.settled_debit_micros, line.debit_micros),
        );
        let (Some(sold), Some(bought), Some(credit), Some(debit)) = sums else {
            return Err(TradingError::Overflow);
        };
        ensure(
            sold <= self.sold_wh
                && bought <= self.bought_wh
                && credit <= self.credit_micros
                && debit <= self.debit_micros,
            TradingError::SumMismatch,
        )?;
        self.settled_sold_wh = sold;
        self.settled_bought_wh = bought;
        self.settled_credit_micros = credit;
        self.settled_debit_micros = debit;
        Ok(())
    }

    /// Closes a settlement whose lines are all settled, and says what each vault is due. Its credits are final.
    pub fn close(&mut self, now: i64, crediting: &mut Crediting) -> Ruling<Charges> {
        ensure(self.status == status::OPEN, TradingError::NotOpen)?;
        ensure(self.cursor == self.line_count, TradingError::LinesMissing)?;
        let frontier = Frontier {
            peaks: &mut self.frontier,
            count: self.cursor,
        };
        ensure(
            frontier.root() == self.lines_root,
            TradingError::RootMismatch,
        )?;
        ensure(
            self.settled_sold_wh == self.sold_wh
                && self.settled_bought_wh == self.bought_wh
                && self.settled_credit_micros == self.credit_micros
                && self.settled_debit_micros == self.debit_micros,
            TradingError::SumMismatch,
        )?;
        let charges = self.charges()?;
        ensure(
            charges.total()? == Micros(self.escrow_micros),
            TradingError::SumMismatch,
        )?;
        self.escrow_micros = 0;
        self.end_with(status::CLOSED, now, crediting)?;
        Ok(charges)
    }

    fn end_with(&mut self, status: u8, now: i64, crediting: &mut Crediting) -> Ruling<()> {
        if self.receiving == 1 {
            free_place(crediting, self.place, self.start)?;
        }
        self.status = status;
        self.closed_at = now;
        Ok(())
    }

    /// The delivery day of the interval.
    pub fn day(&self) -> Ruling<u32> {
        DayDebit::day_of(self.start)
    }

    /// Until its end, the escrow holds exactly what the lines so far have paid in and not been credited.
    pub fn invariant(&self) -> Ruling<()> {
        let paid_in = Micros(self.escrow_micros).checked_add(Micros(self.settled_credit_micros));
        ensure(
            !matches!(self.status, status::OPEN | status::RETURNING)
                || paid_in == Some(Micros(self.settled_debit_micros)),
            TradingError::SumMismatch,
        )
    }
}

mod proving;
mod returning;

#[cfg(test)]
mod tests;
