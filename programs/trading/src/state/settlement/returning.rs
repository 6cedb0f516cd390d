//! The return of an aborted settlement's lines, in any order that the escrow allows.
use super::{status, IntervalSettlement, ABORT_AFTER_S};
use crate::{
    errors::{ensure, RuleResult, TradingError},
    state::{Account, CreditingStarts, Line},
};
use shared::{
    merkle::{range_root, Frontier, Hash},
    Micros, Wh,
};

impl IntervalSettlement {
    /// Aborts the settlement: by the settler at any time before the close, by anybody `ABORT_AFTER_S` after the
    /// interval.
    pub fn abort(&mut self, by_settler: bool, now_s: i64) -> RuleResult<()> {
        ensure(self.status == status::OPEN, TradingError::NotOpen)?;
        let anybody_from = self.end_s.checked_add(ABORT_AFTER_S);
        ensure(
            by_settler || anybody_from.is_some_and(|from| now_s >= from),
            TradingError::TooEarlyToAbort,
        )?;
        let frontier = Frontier {
            peaks: &mut self.frontier,
            leaf_count: self.cursor,
        };
        self.settled_root = frontier.root();
        self.status = status::RETURNING;
        Ok(())
    }

    /// Fails unless these are leaves of the settled lines, the first of them number `first_index`.
    pub fn require_settled(
        &self,
        first_index: u32,
        leaves: &[Hash],
        range_proof: &[Hash],
    ) -> RuleResult<()> {
        ensure(self.status == status::RETURNING, TradingError::NotReturning)?;
        ensure(
            range_root(leaves, first_index, self.cursor, range_proof) == Some(self.settled_root),
            TradingError::NotSettledLines,
        )
    }

    /// Returns a settled line: its payment comes back from the escrow, its credit goes back there.
    pub fn return_line(
        &mut self,
        line: &Line,
        account: &mut Account,
        epoch_day: u32,
    ) -> RuleResult<()> {
        self.subtract_from_totals(line)?;
        if let Some(net) = line.net_payable() {
            let escrow = Micros(self.escrow_micros).checked_sub(net);
            self.escrow_micros = escrow.ok_or(TradingError::EscrowShort)?.0;
            account.deposit(net)?;
        } else {
            let net = account.revert_credit(self.credit_index, self.start_s)?;
            let escrow = Micros(self.escrow_micros).checked_add(net);
            self.escrow_micros = escrow.ok_or(TradingError::Overflow)?.0;
        }
        account.subtract_day_debit(line, epoch_day);
        self.returned_count = self
            .returned_count
            .checked_add(1)
            .ok_or(TradingError::Overflow)?;
        Ok(())
    }

    fn subtract_from_totals(&mut self, line: &Line) -> RuleResult<()> {
        let wh = |sum: u64, less: u32| Wh(sum).checked_sub(Wh(less.into())).map(|rest| rest.0);
        let micros = |sum: u64, less: u64| Micros(sum).checked_sub(Micros(less)).map(|rest| rest.0);
        let rests = (
            wh(self.settled_sold_wh, line.sold_wh),
            wh(self.settled_bought_wh, line.bought_wh),
            micros(self.settled_credit_micros, line.credit_micros),
            micros(self.settled_debit_micros, line.debit_micros),
        );
        let (Some(sold), Some(bought), Some(credit), Some(debit)) = rests else {
            return Err(TradingError::Overflow);
        };
        self.settled_sold_wh = sold;
        self.settled_bought_wh = bought;
        self.settled_credit_micros = credit;
        self.settled_debit_micros = debit;
        Ok(())
    }

    /// Closes an aborted settlement whose settled lines are all returned.
    pub fn close_aborted(
        &mut self,
        now_s: i64,
        crediting_starts_s: &mut CreditingStarts,
    ) -> RuleResult<()> {
        ensure(self.status == status::RETURNING, TradingError::NotReturning)?;
        ensure(
            self.returned_count == self.cursor,
            TradingError::LinesMissing,
        )?;
        ensure(self.escrow_micros == 0, TradingError::SumMismatch)?;
        self.finish(status::ABORTED, now_s, crediting_starts_s)
    }
}
