//! The way back: an aborted settlement undoes its lines, in any order in which the escrow allows it.
use super::{status, IntervalSettlement, ABORT_AFTER_S};
use crate::{
    errors::{ensure, Ruling, TradingError},
    state::{Account, Crediting, Line},
};
use shared::{
    merkle::{range_root, Frontier, Hash},
    Micros, Wh,
};

impl IntervalSettlement {
    /// Ends the settling: by the settler at any time before the close, by anybody when a day has passed.
    pub fn abort(&mut self, by_settler: bool, now: i64) -> Ruling<()> {
        ensure(self.status == status::OPEN, TradingError::NotOpen)?;
        let anybody_from = self.end.checked_add(ABORT_AFTER_S);
        ensure(
            by_settler || anybody_from.is_some_and(|from| now >= from),
            TradingError::TooEarlyToAbort,
        )?;
        let frontier = Frontier {
            peaks: &mut self.frontier,
            count: self.cursor,
        };
        self.settled_root = frontier.root();
        self.status = status::RETURNING;
        Ok(())
    }

    /// Fails unless these are leaves of the settled lines, the first of them number `first`.
    pub fn require_settled(&self, first: u32, leaves: &[Hash], beside: &[Hash]) -> Ruling<()> {
        ensure(self.status == status::RETURNING, TradingError::NotReturning)?;
        ensure(
            range_root(leaves, first, self.cursor, beside) == Some(self.settled_root),
            TradingError::NotSettledLines,
        )
    }

    /// Undoes a settled line: what it paid comes back from the escrow, what it was credited goes back there.
    pub fn undo(&mut self, line: &Line, account: &mut Account, day: u32) -> Ruling<()> {
        self.subtract(line)?;
        if let Some(net) = line.to_pay() {
            let escrow = Micros(self.escrow_micros).checked_sub(net);
            self.escrow_micros = escrow.ok_or(TradingError::EscrowShort)?.0;
            account.deposit(net)?;
        } else {
            let net = account.take_back(self.place, self.start)?;
            let escrow = Micros(self.escrow_micros).checked_add(net);
            self.escrow_micros = escrow.ok_or(TradingError::Overflow)?.0;
        }
        account.uncount_day(line, day);
        self.returned = self.returned.checked_add(1).ok_or(TradingError::Overflow)?;
        Ok(())
    }

    fn subtract(&mut self, line: &Line) -> Ruling<()> {
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
    pub fn close_aborted(&mut self, now: i64, crediting: &mut Crediting) -> Ruling<()> {
        ensure(self.status == status::RETURNING, TradingError::NotReturning)?;
        ensure(self.returned == self.cursor, TradingError::LinesMissing)?;
        ensure(self.escrow_micros == 0, TradingError::SumMismatch)?;
        self.end_with(status::ABORTED, now, crediting)
    }
}
