//! The market: whose key settles, where the money lies, and how much of it is owed to whom.
use super::PLACES;
use crate::errors::{ensure, Ruling, TradingError};
use anchor_lang::prelude::*;
use shared::Micros;

/// A micro is the smallest unit of the currency.
pub const CURRENCY_DECIMALS: u8 = 6;
/// Bytes of a Token-2022 mint without extensions: none that freezes, taxes or seizes what lies in the pool.
pub const CURRENCY_MINT_SIZE: usize = 82;
/// A settlement keeps one bit for every account.
pub const MAX_ACCOUNTS: u32 = 65_536;
const DAY_S: u32 = 86_400;

#[account(zero_copy)]
pub struct Market {
    /// Governance's authority account.
    pub authority: Pubkey,
    /// The key that opens, settles and closes.
    pub settler: Pubkey,
    /// The Token-2022 mint of the currency.
    pub currency_mint: Pubkey,
    /// Token account behind all balances and escrows; this account owns it.
    pub pool: Pubkey,
    /// Token account of the wheeling charges; this account owns it.
    pub wheeling_vault: Pubkey,
    /// Token account of the platform charges; this account owns it.
    pub platform_vault: Pubkey,
    /// Token account of the loss charges; this account owns it.
    pub loss_vault: Pubkey,
    /// Token account that gets the wheeling charges; zero until governance names one.
    pub wheeling_payee: Pubkey,
    /// Token account that gets the platform charges; zero until governance names one.
    pub platform_payee: Pubkey,
    /// Token account that gets the loss charges; zero until governance names one.
    pub loss_payee: Pubkey,
    /// Sum of all balances and of the escrows of open settlements: what the pool owes.
    pub accounts_total_micros: u64,
    /// Charges moved from the pool to the vaults since the beginning.
    pub charges_total_micros: u64,
    /// What has left the vaults for the payees since the beginning.
    pub collected_total_micros: u64,
    /// Decisions of governance with a lower number come too late for the settler.
    pub next_settler_decision: u64,
    /// Decisions of governance with a lower number come too late for the payees.
    pub next_payees_decision: u64,
    /// Who has credited accounts and is not closed yet.
    pub crediting: [i64; PLACES],
    /// Length of an interval in seconds.
    pub interval_s: u32,
    /// Accounts opened so far, and the number of the next one.
    pub accounts: u32,
    /// Of this account's address.
    pub bump: u8,
    /// Zero.
    pub reserved: [u8; 7],
}

impl Market {
    /// Gives the next account its number.
    pub fn enrol(&mut self) -> Ruling<u32> {
        let number = self.accounts;
        ensure(number < MAX_ACCOUNTS, TradingError::TooManyAccounts)?;
        self.accounts = number.checked_add(1).ok_or(TradingError::Overflow)?;
        Ok(number)
    }

    /// The pool owes this much more.
    pub fn owe(&mut self, amount: Micros) -> Ruling<()> {
        let total = Micros(self.accounts_total_micros).checked_add(amount);
        self.accounts_total_micros = total.ok_or(TradingError::Overflow)?.0;
        Ok(())
    }

    /// The pool owes this much less.
    pub fn discharge(&mut self, amount: Micros) -> Ruling<()> {
        let total = Micros(self.accounts_total_micros).checked_sub(amount);
        self.accounts_total_micros = total.ok_or(TradingError::Overflow)?.0;
        Ok(())
    }

    /// An interval's charges leave what is owed to accounts for the vaults.
    pub fn take_charges(&mut self, charges: Micros) -> Ruling<()> {
        self.discharge(charges)?;
        let total = Micros(self.charges_total_micros).checked_add(charges);
        self.charges_total_micros = total.ok_or(TradingError::Overflow)?.0;
        Ok(())
    }

    /// Takes over the settler of governance's decision number `decision`, unless a later one has spoken.
    pub fn adopt_settler(&mut self, settler: Pubkey, decision: u64) -> Ruling<()> {
        self.next_settler_decision = after(self.next_settler_decision, decision)?;
        self.settler = settler;
        Ok(())
    }

    /// Takes over the payees of wheeling, platform and loss, unless a later decision has spoken.
    pub fn adopt_payees(&mut self, payees: [Pubkey; 3], decision: u64) -> Ruling<()> {
        self.next_payees_decision = after(self.next_payees_decision, decision)?;
        [self.wheeling_payee, self.platform_payee, self.loss_payee] = payees;
        Ok(())
    }

    /// Who gets what lies in a vault.
    pub fn payee_of(&self, vault: &Pubkey) -> Ruling<Pubkey> {
        let payees = [
            (self.wheeling_vault, self.wheeling_payee),
            (self.platform_vault, self.platform_payee),
            (self.loss_vault, self.loss_payee),
        ];
        let found = payees.iter().find(|(known, _)| known == vault);
        let (_, payee) = found.ok_or(TradingError::WrongVault)?;
        ensure(*payee != Pubkey::default(), TradingError::NoPayee)?;
        Ok(*payee)
    }

    pub fn count_collected(&mut self, amount: Micros) -> Ruling<()> {
        let total = Micros(self.collected_total_micros).checked_add(amount);
        self.collected_total_micros = total.ok_or(TradingError::Overflow)?.0;
        Ok(())
    }

    pub fn require_settler(&self, key: &Pubkey) -> Ruling<()> {
        ensure(self.settler == *key, TradingError::NotSettler)
    }

    /// An interval divides the day, as the oracle has it.
    pub fn require_interval(&self) -> Ruling<()> {
        ensure(
            self.interval_s >= 1 && DAY_S.is_multiple_of(self.interval_s),
            TradingError::InvalidIntervalLength,
        )
    }

    /// The pool covers all balances and escrows. It may hold more: nobody can be kept from sending tokens there, and that
    /// must not stop a withdrawal.
    pub fn invariant(&self, pool_micros: u64) -> Ruling<()> {
        ensure(
            pool_micros >= self.accounts_total_micros,
            TradingError::PoolShort,
        )
    }
}

/// The number that later decisions must have at least; fails when `decision` itself comes too late.
fn after(next: u64, decision: u64) -> Ruling<u64> {
    ensure(decision >= next, TradingError::DecisionOvertaken)?;
    decision.checked_add(1).ok_or(TradingError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    #[test]
    fn the_pool_must_cover_what_is_owed() {
        let mut market = Market::zeroed();
        market.owe(Micros(10)).unwrap();
        assert_eq!(market.invariant(9), Err(TradingError::PoolShort));
        market.invariant(10).unwrap();
        market.invariant(11).unwrap();
        market.take_charges(Micros(4)).unwrap();
        assert_eq!(
            (market.accounts_total_micros, market.charges_total_micros),
            (6, 4)
        );
        assert_eq!(market.discharge(Micros(7)), Err(TradingError::Overflow));
    }

    #[test]
    fn accounts_are_numbered_up_to_a_bound() {
        let mut market = Market::zeroed();
        assert_eq!(market.enrol(), Ok(0));
        assert_eq!(market.enrol(), Ok(1));
        market.accounts = MAX_ACCOUNTS;
        assert_eq!(market.enrol(), Err(TradingError::TooManyAccounts));
    }

    #[test]
    fn a_decision_is_adopted_once_and_in_order() {
        let mut market = Market::zeroed();
        let keys = [1, 2, 3].map(|byte| Pubkey::new_from_array([byte; 32]));
        market.adopt_settler(keys[0], 4).unwrap();
        for late in [0, 3, 4] {
            let found = market.adopt_settler(keys[1], late);
            assert_eq!(found, Err(TradingError::DecisionOvertaken));
        }
        assert_eq!(market.settler, keys[0]);
        market.adopt_payees(keys, 2).unwrap();
        assert_eq!(
            market.adopt_payees(keys, 2),
            Err(TradingError::DecisionOvertaken)
        );
        assert_eq!(
            market.adopt_settler(keys[1], u64::MAX),
            Err(TradingError::Overflow)
        );
    }

    #[test]
    fn a_vault_has_its_own_payee() {
        let mut market = Market::zeroed();
        let vaults = [11, 12, 13].map(|byte| Pubkey::new_from_array([byte; 32]));
        [
            market.wheeling_vault,
            market.platform_vault,
            market.loss_vault,
        ] = vaults;
        assert_eq!(market.payee_of(&vaults[1]), Err(TradingError::NoPayee));
        let keys = [1, 2, 3].map(|byte| Pubkey::new_from_array([byte; 32]));
        market.adopt_payees(keys, 0).unwrap();
        for (vault, payee) in vaults.iter().zip(keys) {
            assert_eq!(market.payee_of(vault), Ok(payee));
        }
        assert_eq!(market.payee_of(&keys[0]), Err(TradingError::WrongVault));
    }
}
