//! A participant's account: their money and their mandates.
use super::{Crediting, Credits, DayDebit, Line, Mandate, MandateArgs, Mandates, DAYS};
use crate::errors::{ensure, Ruling, TradingError};
use anchor_lang::{prelude::*, Discriminator};
use core::cell::RefMut;
use shared::Micros;

#[account(zero_copy)]
#[derive(Debug)]
pub struct Account {
    /// Whoever signs deposits, withdrawals and mandates.
    pub wallet: Pubkey,
    /// Money of the wallet in the pool, credits of settlements that are not closed yet included.
    pub balance_micros: u64,
    /// Of the last mandate; 0 before the first.
    pub nonce: u64,
    /// What may be done in the wallet's name.
    pub mandates: Mandates,
    /// What the last days of delivery have cost.
    pub days: [DayDebit; DAYS],
    /// What of the balance settlements may still take back.
    pub credits: Credits,
    /// Number of the account in the market, from 0.
    pub number: u32,
    /// Of this account's address.
    pub bump: u8,
    /// Zero.
    pub reserved: [u8; 3],
}

impl Account {
    /// Bytes with the discriminator.
    pub const SIZE: usize = 8 + core::mem::size_of::<Self>();

    /// The account in `info`, for a line: what `AccountLoader` checks, each thing once.
    #[inline(always)]
    pub fn of_line<'a>(info: &'a AccountInfo<'_>) -> Result<RefMut<'a, Self>> {
        require!(info.is_writable, ErrorCode::AccountNotMutable);
        require!(
            info.owner == &crate::ID,
            ErrorCode::AccountOwnedByWrongProgram
        );
        let data = info.try_borrow_mut_data()?;
        require!(
            data.len() == Self::SIZE && data.starts_with(Self::DISCRIMINATOR),
            ErrorCode::AccountDiscriminatorMismatch
        );
        Ok(RefMut::map(data, |data| {
            bytemuck::from_bytes_mut(&mut data[8..])
        }))
    }

    pub fn require_wallet(&self, wallet: &Pubkey) -> Ruling<()> {
        ensure(self.wallet == *wallet, TradingError::WrongWallet)
    }

    pub fn deposit(&mut self, amount: Micros) -> Ruling<()> {
        let balance = Micros(self.balance_micros).checked_add(amount);
        self.balance_micros = balance.ok_or(TradingError::Overflow)?.0;
        Ok(())
    }

    /// Takes `amount` out of the balance, but nothing of what settlements may still take back.
    #[inline(always)]
    pub fn pay(&mut self, amount: Micros, crediting: &Crediting) -> Ruling<()> {
        let (rest, _) = self.without(amount, crediting)?;
        self.balance_micros = rest.0;
        Ok(())
    }

    /// The balance without `amount`, and how much of it settlements may still take back.
    #[inline(always)]
    fn without(&self, amount: Micros, crediting: &Crediting) -> Ruling<(Micros, Micros)> {
        let rest = Micros(self.balance_micros).checked_sub(amount);
        let rest = rest.ok_or(TradingError::InsufficientBalance)?;
        let open = self.credits.open(crediting)?;
        ensure(open <= rest, TradingError::CreditOpen)?;
        Ok((rest, open))
    }

    /// Lets the wallet take out what lies above the locked reserve.
    pub fn withdraw(
        &mut self,
        amount: Micros,
        now: i64,
        interval_s: u32,
        crediting: &Crediting,
    ) -> Ruling<()> {
        let (rest, open) = self.without(amount, crediting)?;
        let kept = self.mandates.locked(now, interval_s).checked_add(open);
        ensure(
            kept.is_some_and(|kept| kept <= rest),
            TradingError::ReserveLocked,
        )?;
        self.balance_micros = rest.0;
        Ok(())
    }

    /// Adds what the settlement of the interval that starts at `start` owes, to be taken back until it closes.
    #[inline(always)]
    pub fn credit(&mut self, net: Micros, place: u8, start: i64) -> Ruling<()> {
        self.deposit(net)?;
        self.credits.note(place, start, net)
    }

    /// Takes a credit back.
    pub fn take_back(&mut self, place: u8, start: i64) -> Ruling<Micros> {
        let net = self.credits.forget(place, start)?;
        let balance = Micros(self.balance_micros).checked_sub(net);
        self.balance_micros = balance.ok_or(TradingError::Overflow)?.0;
        Ok(net)
    }

    /// Takes a mandate that the wallet has signed.
    pub fn set_mandate(&mut self, args: MandateArgs, now: i64, interval_s: u32) -> Ruling<Mandate> {
        ensure(
            self.nonce.checked_add(1) == Some(args.nonce),
            TradingError::MandateNonce,
        )?;
        let mandate = self.mandates.set(args, now, interval_s)?;
        self.nonce = args.nonce;
        Ok(mandate)
    }

    /// Checks a line of the interval [start, end) against the mandate that binds it.
    #[inline(always)]
    pub fn allow(&self, line: &Line, start: i64, end: i64, day: u32) -> Ruling<()> {
        let mandate = self.mandates.in_force(start, end)?;
        mandate.allow(line)?;
        let spent = DayDebit::spent(&self.days, day)?;
        let spent = spent.checked_add(Micros(line.debit_micros));
        ensure(
            spent.is_some_and(|spent| spent.0 <= mandate.max_day_debit_micros),
            TradingError::MandateExceededDay,
        )
    }

    /// Counts a settled line's gross debit for its delivery day.
    #[inline(always)]
    pub fn count_day(&mut self, line: &Line, day: u32) {
        DayDebit::count(&mut self.days, day, line.debit_micros);
    }

    /// Undoes `count_day`.
    pub fn uncount_day(&mut self, line: &Line, day: u32) {
        DayDebit::uncount(&mut self.days, day, line.debit_micros);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    const START: i64 = 1_750_000_500;
    const DAY: u32 = 20_254;

    const NOBODY: Crediting = [0; 8];

    fn account(balance_micros: u64) -> Account {
        let mut account = Account::zeroed();
        account.balance_micros = balance_micros;
        let args = MandateArgs {
            expiry: START + 86_400,
            max_price_mills: 5_000,
            max_wh: 1_000,
            max_debit_micros: 2_000_000,
            max_day_debit_micros: 3_000_000,
            reserve_micros: 600,
            nonce: 1,
            ..MandateArgs::default()
        };
        account.set_mandate(args, START, 900).unwrap();
        account
    }

    #[test]
    fn what_is_above_the_reserve_is_free() {
        let mut account = account(1_000);
        let mut take = |amount| account.withdraw(Micros(amount), START, 900, &NOBODY);
        assert_eq!(take(1_001), Err(TradingError::InsufficientBalance));
        assert_eq!(take(401), Err(TradingError::ReserveLocked));
        assert_eq!(take(400), Ok(()));
        assert_eq!(take(1), Err(TradingError::ReserveLocked));
        assert_eq!(account.balance_micros, 600);
    }

    #[test]
    fn a_credit_is_spent_only_when_its_settlement_is_closed() {
        let (mut account, mut crediting) = (account(1_000), NOBODY);
        crediting[2] = START;
        account.credit(Micros(50), 2, START).unwrap();
        let spend = |amount, crediting: &Crediting| {
            let (mut payer, mut leaver) = (account, account);
            let paid = payer.pay(Micros(amount), crediting);
            (paid, leaver.withdraw(Micros(amount), START, 900, crediting))
        };
        let refused = Err(TradingError::CreditOpen);
        assert_eq!(spend(1_001, &crediting), (refused, refused));
        assert_eq!(
            spend(1_000, &crediting),
            (Ok(()), Err(TradingError::ReserveLocked))
        );
        assert_eq!(spend(400, &crediting), (Ok(()), Ok(())));
        assert_eq!(spend(401, &crediting).1, Err(TradingError::ReserveLocked));
        assert_eq!(spend(450, &NOBODY), (Ok(()), Ok(())));
        assert_eq!(account.take_back(2, START), Ok(Micros(50)));
        assert_eq!(account.balance_micros, 1_000);
    }

    #[test]
    fn nonces_count_up() {
        let mut account = account(0);
        let again = MandateArgs {
            nonce: 1,
            ..MandateArgs::default()
        };
        let set = account.set_mandate(again, START, 900);
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
        let end = START + 900;
        account.allow(&line, START, end, DAY).unwrap();
        account.count_day(&line, DAY);
        assert_eq!(
            account.allow(&line, START, end, DAY),
            Err(TradingError::MandateExceededDay)
        );
        account.allow(&line, START, end, DAY + 1).unwrap();
        let rest = Line {
            debit_micros: 1_400_000,
            ..line
        };
        account.allow(&rest, START, end, DAY).unwrap();
    }

    #[test]
    fn nobody_pays_more_than_they_have() {
        let mut account = account(10);
        assert_eq!(
            account.pay(Micros(11), &NOBODY),
            Err(TradingError::InsufficientBalance)
        );
        account.pay(Micros(10), &NOBODY).unwrap();
        assert_eq!(account.balance_micros, 0);
    }
}
