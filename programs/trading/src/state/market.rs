//! The market: its settler, its token accounts, and the totals that they owe.
use super::CREDIT_ENTRIES;
use crate::errors::{ensure, RuleResult, TradingError};
use anchor_lang::prelude::*;
use shared::Micros;

/// Decimals of the currency: a micro is its smallest unit.
pub const CURRENCY_DECIMALS: u8 = 6;
/// Bytes of a Token-2022 mint without extensions: none that freezes, taxes or seizes what lies in the pool.
pub const CURRENCY_MINT_BYTES: usize = 82;
/// Most accounts: a settlement keeps one bit for each.
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
    /// What the pool owes, in micros: all balances and the escrows of open settlements.
    pub accounts_total_micros: u64,
    /// Charges moved from the pool to the vaults since the beginning, in micros.
    pub charges_total_micros: u64,
    /// Charges moved from the vaults to the payees since the beginning, in micros.
    pub collected_total_micros: u64,
    /// Lowest proposal index of governance that may still change the settler.
    pub next_settler_proposal_index: u64,
    /// Lowest proposal index of governance that may still change the payees.
    pub next_payees_proposal_index: u64,
    /// Slots of settlements that have credited accounts and are not closed yet, by interval start in Unix seconds; 0 is
    /// free.
    pub crediting_starts_s: [i64; CREDIT_ENTRIES],
    /// Length of an interval, in seconds.
    pub interval_s: u32,
    /// Number of accounts opened so far, and the number of the next one.
    pub account_count: u32,
    /// Bump seed of this account's address.
    pub bump: u8,
    /// Padding, zero.
    pub reserved: [u8; 7],
}

impl Market {
    /// Counts a new account and returns its number.
    pub fn allocate_account_number(&mut self) -> RuleResult<u32> {
        let number = self.account_count;
        ensure(number < MAX_ACCOUNTS, TradingError::TooManyAccounts)?;
        self.account_count = number.checked_add(1).ok_or(TradingError::Overflow)?;
        Ok(number)
    }

    /// Increases what the pool owes.
    pub fn increase_owed(&mut self, amount: Micros) -> RuleResult<()> {
        let total = Micros(self.accounts_total_micros).checked_add(amount);
        self.accounts_total_micros = total.ok_or(TradingError::Overflow)?.0;
        Ok(())
    }

    /// Decreases what the pool owes.
    pub fn decrease_owed(&mut self, amount: Micros) -> RuleResult<()> {
        let total = Micros(self.accounts_total_micros).checked_sub(amount);
        self.accounts_total_micros = total.ok_or(TradingError::Overflow)?.0;
        Ok(())
    }

    /// Books an interval's charges from what the pool owes to the vaults.
    pub fn move_charges_to_vaults(&mut self, charges: Micros) -> RuleResult<()> {
        self.decrease_owed(charges)?;
        let total = Micros(self.charges_total_micros).checked_add(charges);
        self.charges_total_micros = total.ok_or(TradingError::Overflow)?.0;
        Ok(())
    }

    /// Adopts the settler of governance's proposal `proposal_index`; fails when a later one was adopted.
    pub fn adopt_settler(&mut self, settler: Pubkey, proposal_index: u64) -> RuleResult<()> {
        self.next_settler_proposal_index =
            next_index(self.next_settler_proposal_index, proposal_index)?;
        self.settler = settler;
        Ok(())
    }

    /// Adopts the payees of wheeling, platform and loss; fails when a later proposal was adopted.
    pub fn adopt_payees(&mut self, payees: [Pubkey; 3], proposal_index: u64) -> RuleResult<()> {
        self.next_payees_proposal_index =
            next_index(self.next_payees_proposal_index, proposal_index)?;
        [self.wheeling_payee, self.platform_payee, self.loss_payee] = payees;
        Ok(())
    }

    /// The payee of a vault.
    pub fn payee_of(&self, vault: &Pubkey) -> RuleResult<Pubkey> {
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

    pub fn count_collected(&mut self, amount: Micros) -> RuleResult<()> {
        let total = Micros(self.collected_total_micros).checked_add(amount);
        self.collected_total_micros = total.ok_or(TradingError::Overflow)?.0;
        Ok(())
    }

    pub fn require_settler(&self, key: &Pubkey) -> RuleResult<()> {
        ensure(self.settler == *key, TradingError::NotSettler)
    }

    /// Fails unless the interval's length divides the day, as the oracle demands.
    pub fn require_valid_interval(&self) -> RuleResult<()> {
        ensure(
            self.interval_s >= 1 && DAY_S.is_multiple_of(self.interval_s),
            TradingError::InvalidIntervalLength,
        )
    }

    /// The pool covers all balances and escrows. It may hold more: nobody can be kept from sending tokens there, and
    /// that must not stop a withdrawal.
    pub fn invariant(&self, pool_micros: u64) -> RuleResult<()> {
        ensure(
            pool_micros >= self.accounts_total_micros,
            TradingError::PoolShort,
        )
    }
}

/// Lowest index that a later proposal must have; fails when `proposal_index` itself is too low.
fn next_index(next: u64, proposal_index: u64) -> RuleResult<u64> {
    ensure(proposal_index >= next, TradingError::DecisionOvertaken)?;
    proposal_index.checked_add(1).ok_or(TradingError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    #[test]
    fn the_pool_must_cover_what_is_owed() {
        let mut market = Market::zeroed();
        market.increase_owed(Micros(10)).unwrap();
        assert_eq!(market.invariant(9), Err(TradingError::PoolShort));
        market.invariant(10).unwrap();
        market.invariant(11).unwrap();
        market.move_charges_to_vaults(Micros(4)).unwrap();
        assert_eq!(
            (market.accounts_total_micros, market.charges_total_micros),
            (6, 4)
        );
        assert_eq!(market.decrease_owed(Micros(7)), Err(TradingError::Overflow));
    }

    #[test]
    fn accounts_are_numbered_up_to_a_bound() {
        let mut market = Market::zeroed();
        assert_eq!(market.allocate_account_number(), Ok(0));
        assert_eq!(market.allocate_account_number(), Ok(1));
        market.account_count = MAX_ACCOUNTS;
        assert_eq!(
            market.allocate_account_number(),
            Err(TradingError::TooManyAccounts)
        );
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
