//! The settlement of an interval: its commitment, and how far its lines are settled.
//!
//! Paying lines come first and fill the escrow, receiving lines are credited from it, each within its account's
//! mandate. Nothing is final before the close, which knows that the lines are those committed to: until then no credit
//! is spent, and the whole settlement can be aborted and returned (`returning`). So whatever stops it, nobody's money
//! stays in it.
use super::{
    acquire_entry, release_entry, Account, AccountBits, Charges, CreditingStarts, DayDebit, Line,
    Rates,
};
use crate::errors::{ensure, RuleResult, TradingError};
use anchor_lang::{prelude::*, Discriminator};
use shared::{
    merkle::{Frontier, DEPTH},
    Micros, Wh,
};

/// A settlement may open this many seconds after its interval's end.
pub const OPEN_WINDOW_S: i64 = 12 * 3_600;
/// Anybody may abort a settlement this many seconds after its interval's end.
pub const ABORT_AFTER_S: i64 = 24 * 3_600;
const MAX_LINES: u32 = (1 << DEPTH) - 1;

/// States of a settlement.
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

/// The settler's commitment, made before any money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// Merkle root over all lines.
    pub lines_root: [u8; 32],
    /// Number of lines.
    pub line_count: u32,
    /// Totals of the lines, in Wh and micros.
    pub sold_wh: u64,
    pub bought_wh: u64,
    pub credit_micros: u64,
    pub debit_micros: u64,
    /// Clearing price of the ex-post auction in mills per kWh; 0 when nothing was cleared.
    pub clearing_price_mills: u32,
    /// SHA-256 of the interval's published orders and trades.
    pub journal_hash: [u8; 32],
}

/// One bit for each account of the market follows the fields (`AccountBits`).
#[account(zero_copy)]
#[derive(Debug)]
pub struct IntervalSettlement {
    /// Start of the interval, in Unix seconds.
    pub start_s: i64,
    /// End of the interval, exclusive, in Unix seconds.
    pub end_s: i64,
    /// Time at which the settlement opened, in Unix seconds.
    pub opened_at_s: i64,
    /// Time at which it closed, in Unix seconds; 0 before.
    pub closed_at_s: i64,
    /// Committed: sum of the lines' sold Wh.
    pub sold_wh: u64,
    /// Committed: sum of the lines' bought Wh.
    pub bought_wh: u64,
    /// Committed: sum of the lines' credits, in micros.
    pub credit_micros: u64,
    /// Committed: sum of the lines' debits, in micros.
    pub debit_micros: u64,
    /// Sold Wh of the settled lines.
    pub settled_sold_wh: u64,
    /// Bought Wh of the settled lines.
    pub settled_bought_wh: u64,
    /// Credits of the settled lines, in micros.
    pub settled_credit_micros: u64,
    /// Debits of the settled lines, in micros.
    pub settled_debit_micros: u64,
    /// Paid by paying lines and neither credited to receiving lines nor moved to vaults, in micros.
    pub escrow_micros: u64,
    /// The rates in force at the interval's start.
    pub rates: Rates,
    /// Committed: Merkle root over all lines.
    pub lines_root: [u8; 32],
    /// Committed: SHA-256 of the interval's published orders and trades.
    pub journal_hash: [u8; 32],
    /// Merkle root over the lines that were settled when it was aborted; zero before.
    pub settled_root: [u8; 32],
    /// Roots of the complete subtrees of the settled lines.
    pub frontier: [[u8; 32]; 16],
    /// Committed: number of lines.
    pub line_count: u32,
    /// Index of the next line: the number of settled lines.
    pub cursor: u32,
    /// Committed: clearing price of the ex-post auction, in mills per kWh.
    pub clearing_price_mills: u32,
    /// Number of accounts of the market when the settlement opened: the number of bits after the fields.
    pub account_count: u32,
    /// Number of lines returned since it was aborted.
    pub returned_count: u32,
    /// One of `status`.
    pub status: u8,
    /// 1 once a receiving line was credited: no paying line follows.
    pub receiving: u8,
    /// Slot of its credits in the market, while `receiving` is 1.
    pub credit_index: u8,
    /// Bump seed of this account's address.
    pub bump: u8,
    /// Padding, zero.
    pub reserved: [u8; 8],
}

impl IntervalSettlement {
    /// Bytes of the fields with the discriminator.
    const FIXED_BYTES: usize = 8 + core::mem::size_of::<Self>();

    /// Bytes of a settlement in a market with this many accounts.
    pub const fn size_for(account_count: u32) -> usize {
        Self::FIXED_BYTES + AccountBits::size_for(account_count)
    }

    /// The fields and the bits of a settlement's data, whose owner and discriminator have been checked.
    pub fn split(data: &mut [u8]) -> RuleResult<(&mut Self, AccountBits<'_>)> {
        ensure(
            data.len() >= Self::FIXED_BYTES && data.starts_with(Self::DISCRIMINATOR),
            TradingError::Overflow,
        )?;
        let (fixed, bits) = data.split_at_mut(Self::FIXED_BYTES);
        let fields = bytemuck::try_from_bytes_mut(&mut fixed[8..]);
        let fields: &mut Self = fields.map_err(|_| TradingError::Overflow)?;
        let account_count = fields.account_count;
        Ok((
            fields,
            AccountBits {
                bits,
                account_count,
            },
        ))
    }

    /// Stores the settler's commitment, if its totals agree with the rates.
    pub fn commit(&mut self, commitment: &Commitment, rates: Rates) -> RuleResult<()> {
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
    fn charges(&self) -> RuleResult<Charges> {
        ensure(self.sold_wh == self.bought_wh, TradingError::SumMismatch)?;
        let charges = self.rates.charges(Wh(self.bought_wh))?;
        let rest = Micros(self.debit_micros).checked_sub(Micros(self.credit_micros));
        ensure(rest == Some(charges.total()?), TradingError::SumMismatch)?;
        Ok(charges)
    }

    /// Fails unless a batch that begins with line `first_index` is the next one.
    pub fn require_next(&self, first_index: u32) -> RuleResult<()> {
        ensure(first_index >= self.cursor, TradingError::AlreadySettled)?;
        ensure(self.status == status::OPEN, TradingError::NotOpen)?;
        ensure(first_index == self.cursor, TradingError::OutOfOrder)
    }

    /// Settles the next line. `crediting_starts_s` has the market's entries of settlements that credit accounts.
    #[inline(always)]
    pub fn settle(
        &mut self,
        line: &Line,
        account: &mut Account,
        epoch_day: u32,
        crediting_starts_s: &mut CreditingStarts,
    ) -> RuleResult<()> {
        ensure(self.cursor < self.line_count, TradingError::TooManyLines)?;
        self.append_leaf(line, &account.wallet)?;
        self.add_to_totals(line)?;
        account.check_line(line, self.start_s, self.end_s, epoch_day)?;
        if let Some(net) = line.net_payable() {
            ensure(self.receiving == 0, TradingError::PayerAfterReceiver)?;
            account.debit(net, crediting_starts_s)?;
            let escrow = Micros(self.escrow_micros).checked_add(net);
            self.escrow_micros = escrow.ok_or(TradingError::Overflow)?.0;
        } else {
            let net = line.net_receivable().ok_or(TradingError::Overflow)?;
            let escrow = Micros(self.escrow_micros).checked_sub(net);
            self.escrow_micros = escrow.ok_or(TradingError::EscrowShort)?.0;
            if self.receiving == 0 {
                self.credit_index = acquire_entry(crediting_starts_s, self.start_s)?;
                self.receiving = 1;
            }
            account.credit(net, self.credit_index, self.start_s)?;
        }
        account.add_day_debit(line, epoch_day);
        Ok(())
    }

    #[inline(always)]
    fn append_leaf(&mut self, line: &Line, wallet: &Pubkey) -> RuleResult<()> {
        let mut leaf = [0; 32];
        line.leaf_into(&mut leaf, self.start_s, self.cursor, wallet);
        let mut frontier = Frontier {
            peaks: &mut self.frontier,
            leaf_count: self.cursor,
        };
        frontier
            .append(&mut leaf)
            .ok_or(TradingError::TooManyLines)?;
        self.cursor = frontier.leaf_count;
        Ok(())
    }

    /// Adds a line to the totals, which must stay within those committed to.
    #[inline(always)]
    fn add_to_totals(&mut self, line: &Line) -> RuleResult<()> {
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

    /// Closes a settlement whose lines are all settled, and returns what each vault is due. Its credits are final.
    pub fn close(
        &mut self,
        now_s: i64,
        crediting_starts_s: &mut CreditingStarts,
    ) -> RuleResult<Charges> {
        ensure(self.status == status::OPEN, TradingError::NotOpen)?;
        ensure(self.cursor == self.line_count, TradingError::LinesMissing)?;
        let frontier = Frontier {
            peaks: &mut self.frontier,
            leaf_count: self.cursor,
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
        self.finish(status::CLOSED, now_s, crediting_starts_s)?;
        Ok(charges)
    }

    fn finish(
        &mut self,
        status: u8,
        now_s: i64,
        crediting_starts_s: &mut CreditingStarts,
    ) -> RuleResult<()> {
        if self.receiving == 1 {
            release_entry(crediting_starts_s, self.credit_index, self.start_s)?;
        }
        self.status = status;
        self.closed_at_s = now_s;
        Ok(())
    }

    /// The delivery day of the interval, in days since 1970-01-01.
    pub fn epoch_day(&self) -> RuleResult<u32> {
        DayDebit::epoch_day_of(self.start_s)
    }

    /// Until the close, the escrow holds exactly what the settled lines have paid in and not been credited.
    pub fn invariant(&self) -> RuleResult<()> {
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
