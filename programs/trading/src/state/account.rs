//! A participant's account: balance, credits and mandates.
use super::{CreditingStarts, Credits, DayDebit, Line, Mandate, MandateArgs, Mandates, DAYS_KEPT};
use crate::errors::{ensure, RuleResult, TradingError};
use anchor_lang::{prelude::*, Discriminator};
use core::cell::RefMut;
use shared::Micros;

#[account(zero_copy)]
#[derive(Debug)]
pub struct Account {
    /// The key that signs deposits, withdrawals and mandates.
    pub wallet: Pubkey,
    /// Balance in micros, credits of settlements that are not closed yet included.
    pub balance_micros: u64,
    /// Nonce of the last mandate; 0 before the first.
    pub nonce: u64,
    /// Mandates that are still needed.
    pub mandates: Mandates,
    /// Gross debits of the last delivery days.
    pub day_debits: [DayDebit; DAYS_KEPT],
    /// Credits that aborted settlements may still take back.
    pub credits: Credits,
    /// Number of the account in the market, from 0.
    pub number: u32,
    /// Bump seed of this account's address.
    pub bump: u8,
    /// Padding, zero.
    pub reserved: [u8; 3],
}

impl Account {
    /// Bytes of the account with the discriminator.
    pub const SIZE_BYTES: usize = 8 + core::mem::size_of::<Self>();

    /// Loads the account in `info` for a line, with the checks of `AccountLoader`, each made once.
    #[inline(always)]
    pub fn load_for_line<'a>(info: &'a AccountInfo<'_>) -> Result<RefMut<'a, Self>> {
        require!(info.is_writable, ErrorCode::AccountNotMutable);
        require!(
            info.owner == &crate::ID,
            ErrorCode::AccountOwnedByWrongProgram
        );
        let data = info.try_borrow_mut_data()?;
        require!(
            data.len() == Self::SIZE_BYTES && data.starts_with(Self::DISCRIMINATOR),
            ErrorCode::AccountDiscriminatorMismatch
        );
        Ok(RefMut::map(data, |data| {
            bytemuck::from_bytes_mut(&mut data[8..])
        }))
    }

    pub fn require_wallet(&self, wallet: &Pubkey) -> RuleResult<()> {
        ensure(self.wallet == *wallet, TradingError::WrongWallet)
    }

    pub fn deposit(&mut self, amount: Micros) -> RuleResult<()> {
        let balance = Micros(self.balance_micros).checked_add(amount);
        self.balance_micros = balance.ok_or(TradingError::Overflow)?.0;
        Ok(())
    }

    /// Debits `amount`, but nothing of what settlements may still take back.
    #[inline(always)]
    pub fn debit(
        &mut self,
        amount: Micros,
        crediting_starts_s: &CreditingStarts,
    ) -> RuleResult<()> {
        let (rest, _) = self.balance_after(amount, crediting_starts_s)?;
        self.balance_micros = rest.0;
        Ok(())
    }

    /// The balance after `amount` is taken out, and how much of it settlements may still take back.
    #[inline(always)]
    fn balance_after(
        &self,
        amount: Micros,
        crediting_starts_s: &CreditingStarts,
    ) -> RuleResult<(Micros, Micros)> {
        let rest = Micros(self.balance_micros).checked_sub(amount);
        let rest = rest.ok_or(TradingError::InsufficientBalance)?;
        let open = self.credits.open_total(crediting_starts_s)?;
        ensure(open <= rest, TradingError::CreditOpen)?;
        Ok((rest, open))
    }

    /// Withdraws `amount`, which must lie above the locked reserve, at Unix second `now_s`.
    pub fn withdraw(
        &mut self,
        amount: Micros,
        now_s: i64,
        interval_s: u32,
        crediting_starts_s: &CreditingStarts,
    ) -> RuleResult<()> {
        let (rest, open) = self.balance_after(amount, crediting_starts_s)?;
        let kept = self
            .mandates
            .locked_reserve(now_s, interval_s)
            .checked_add(open);
        ensure(
            kept.is_some_and(|kept| kept <= rest),
            TradingError::ReserveLocked,
        )?;
        self.balance_micros = rest.0;
        Ok(())
    }

    /// Credits `net` by the settlement of the interval that starts at `start_s`, which may take it back until it
    /// closes.
    #[inline(always)]
    pub fn credit(&mut self, net: Micros, index: u8, start_s: i64) -> RuleResult<()> {
        self.deposit(net)?;
        self.credits.record(index, start_s, net)
    }

    /// Reverts a credit and returns its amount.
    pub fn revert_credit(&mut self, index: u8, start_s: i64) -> RuleResult<Micros> {
        let net = self.credits.remove(index, start_s)?;
        let balance = Micros(self.balance_micros).checked_sub(net);
        self.balance_micros = balance.ok_or(TradingError::Overflow)?.0;
        Ok(net)
    }

    /// Adds a mandate that the wallet has signed.
    pub fn set_mandate(
        &mut self,
        args: MandateArgs,
        now_s: i64,
        interval_s: u32,
    ) -> RuleResult<Mandate> {
        ensure(
            self.nonce.checked_add(1) == Some(args.nonce),
            TradingError::MandateNonce,
        )?;
        let mandate = self.mandates.add(args, now_s, interval_s)?;
        self.nonce = args.nonce;
        Ok(mandate)
    }

    /// Checks a line of the interval [start_s, end_s) against the mandate that binds it.
    #[inline(always)]
    pub fn check_line(
        &self,
        line: &Line,
        start_s: i64,
        end_s: i64,
        epoch_day: u32,
    ) -> RuleResult<()> {
        let mandate = self.mandates.in_force(start_s, end_s)?;
        mandate.check_line(line)?;
        let spent = DayDebit::spent(&self.day_debits, epoch_day)?;
        let spent = spent.checked_add(Micros(line.debit_micros));
        ensure(
            spent.is_some_and(|spent| spent.0 <= mandate.max_day_debit_micros),
            TradingError::MandateExceededDay,
        )
    }

    /// Adds a settled line's gross debit to its delivery day, in days since 1970.
    #[inline(always)]
    pub fn add_day_debit(&mut self, line: &Line, epoch_day: u32) {
        DayDebit::add(&mut self.day_debits, epoch_day, line.debit_micros);
    }

    /// Undoes `add_day_debit`.
    pub fn subtract_day_debit(&mut self, line: &Line, epoch_day: u32) {
        DayDebit::subtract(&mut self.day_debits, epoch_day, line.debit_micros);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    const START_S: i64 = 1_750_000_500;
    const EPOCH_DAY: u32 = 20_254;

    const NOBODY: CreditingStarts = [0; 8];

    fn account(balance_micros: u64) -> Account {
        let mut account = Account::zeroed();
        account.balance_micros = balance_micros;
        let args = MandateArgs {
            expiry_s: START_S + 86_400,
            max_price_mills: 5_000,
            max_wh: 1_000,
            max_debit_micros: 2_000_000,
            max_day_debit_micros: 3_000_000,
            reserve_micros: 600,
            nonce: 1,
            ..MandateArgs::default()
        };
        account.set_mandate(args, START_S, 900).unwrap();
        account
    }

    #[test]
    fn what_is_above_the_reserve_is_free() {
        let mut account = account(1_000);
        let mut take = |amount| account.withdraw(Micros(amount), START_S, 900, &NOBODY);
        assert_eq!(take(1_001), Err(TradingError::InsufficientBalance));
        assert_eq!(take(401), Err(TradingError::ReserveLocked));
        assert_eq!(take(400), Ok(()));
        assert_eq!(take(1), Err(TradingError::ReserveLocked));
        assert_eq!(account.balance_micros, 600);
    }

    #[test]
    fn a_credit_is_spent_only_when_its_settlement_is_closed() {
        let (mut account, mut crediting_starts_s) = (account(1_000), NOBODY);
        crediting_starts_s[2] = START_S;
        account.credit(Micros(50), 2, START_S).unwrap();
        let spend = |amount, crediting_starts_s: &CreditingStarts| {
            let (mut payer, mut leaver) = (account, account);
            let paid = payer.debit(Micros(amount), crediting_starts_s);
            (
                paid,
                leaver.withdraw(Micros(amount), START_S, 900, crediting_starts_s),
            )
        };
        let refused = Err(TradingError::CreditOpen);
        assert_eq!(spend(1_001, &crediting_starts_s), (refused, refused));
        assert_eq!(
            spend(1_000, &crediting_starts_s),
            (Ok(()), Err(TradingError::ReserveLocked))
        );
        assert_eq!(spend(400, &crediting_starts_s), (Ok(()), Ok(())));
        assert_eq!(
            spend(401, &crediting_starts_s).1,
            Err(TradingError::ReserveLocked)
        );
        assert_eq!(spend(450, &NOBODY), (Ok(()), Ok(())));
        assert_eq!(account.revert_credit(2, START_S), Ok(Micros(50)));
        assert_eq!(account.balance_micros, 1_000);
    }

    #[test]
    fn nonces_count_up() {
        let mut account = account(0);
        let again = MandateArgs {
            nonce: 1,
            ..MandateArgs::default()
        };
        let set = account.set_mandate(again, START_S, 900);
        assert_eq!(set, Err(TradingError::MandateNonce));
    }

    #[test]
    fn a_day_is_limited_over_its_intervals() {
        let mut account = account(0);
        let line = Line {
            bought_wh: 400,
            debit_micros: 1_600_000,
            ..Line::default()
        };
        let end_s = START_S + 900;
        account
            .check_line(&line, START_S, end_s, EPOCH_DAY)
            .unwrap();
        account.add_day_debit(&line, EPOCH_DAY);
        assert_eq!(
            account.check_line(&line, START_S, end_s, EPOCH_DAY),
            Err(TradingError::MandateExceededDay)
        );
        account
            .check_line(&line, START_S, end_s, EPOCH_DAY + 1)
            .unwrap();
        let rest = Line {
            debit_micros: 1_400_000,
            ..line
        };
        account
            .check_line(&rest, START_S, end_s, EPOCH_DAY)
            .unwrap();
    }

    #[test]
    fn nobody_pays_more_than_they_have() {
        let mut account = account(10);
        assert_eq!(
            account.debit(Micros(11), &NOBODY),
            Err(TradingError::InsufficientBalance)
        );
        account.debit(Micros(10), &NOBODY).unwrap();
        assert_eq!(account.balance_micros, 0);
    }
}
