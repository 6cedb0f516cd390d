//! A participant's account: their money and their mandates.
use super::{DayDebit, Line, Mandate, MandateArgs, Mandates, DAYS};
use crate::errors::{ensure, Ruling, TradingError};
use anchor_lang::{prelude::*, Discriminator};
use core::cell::RefMut;
use shared::Micros;

#[account(zero_copy)]
#[derive(Debug)]
pub struct Account {
    /// Whoever signs deposits, withdrawals and mandates.
    pub wallet: Pubkey,
    /// Money of the wallet in the pool.
    pub balance_micros: u64,
    /// Of the last mandate; 0 before the first.
    pub nonce: u64,
    /// What may be done in the wallet's name.
    pub mandates: Mandates,
    /// What the last days of delivery have cost.
    pub days: [DayDebit; DAYS],
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

    /// What the wallet may take out at `now`: everything above the locked reserve.
    pub fn withdrawable(&self, now: i64, interval_s: u32) -> Micros {
        let locked = self.mandates.locked(now, interval_s);
        Micros(self.balance_micros.saturating_sub(locked.0))
    }

    pub fn withdraw(&mut self, amount: Micros, now: i64, interval_s: u32) -> Ruling<()> {
        let balance = Micros(self.balance_micros).checked_sub(amount);
        let balance = balance.ok_or(TradingError::InsufficientBalance)?;
        let free = self.withdrawable(now, interval_s);
        ensure(amount <= free, TradingError::ReserveLocked)?;
        self.balance_micros = balance.0;
        Ok(())
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

    /// Takes what a paying line owes from the balance.
    #[inline(always)]
    pub fn pay(&mut self, net: Micros) -> Ruling<()> {
        let balance = Micros(self.balance_micros).checked_sub(net);
        self.balance_micros = balance.ok_or(TradingError::InsufficientBalance)?.0;
        Ok(())
    }

    /// Counts a settled line's gross debit for its delivery day.
    #[inline(always)]
    pub fn count_day(&mut self, line: &Line, day: u32) {
        DayDebit::count(&mut self.days, day, line.debit_micros);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    const START: i64 = 1_750_000_500;
    const DAY: u32 = 20_254;

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
        let mut take = |amount| account.withdraw(Micros(amount), START, 900);
        assert_eq!(take(1_001), Err(TradingError::InsufficientBalance));
        assert_eq!(take(401), Err(TradingError::ReserveLocked));
        assert_eq!(take(400), Ok(()));
        assert_eq!(take(1), Err(TradingError::ReserveLocked));
        account.balance_micros = 100;
        assert_eq!(account.withdrawable(START, 900), Micros(0));
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
            account.pay(Micros(11)),
            Err(TradingError::InsufficientBalance)
        );
        account.pay(Micros(10)).unwrap();
        assert_eq!(account.balance_micros, 0);
    }
}
