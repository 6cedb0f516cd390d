//! Rent-exempt minimum of an account, in integers where the cluster's parameters allow it.

use ::anchor_lang::prelude::{Rent as ClusterRent, Result, SolanaSysvar as _};

/// Bytes that rent counts for every account beside its data.
const ACCOUNT_OVERHEAD_BYTES: u64 = 128;

/// The cluster's rent parameters.
pub struct Rent(ClusterRent);

impl Rent {
    pub fn get() -> Result<Self> {
        Ok(Self(ClusterRent::get()?))
    }

    /// Rent-exempt minimum of an account of `bytes` bytes, in lamports.
    #[allow(deprecated)] // the two terms as clusters have them today; other terms take the slow way
    pub fn minimum_balance(&self, bytes: usize) -> u64 {
        let whole_years = self.0.exemption_threshold.to_bits() == 2f64.to_bits();
        let billed = ACCOUNT_OVERHEAD_BYTES.checked_add(bytes as u64);
        billed
            .filter(|_| whole_years)
            .and_then(|billed| {
                billed
                    .checked_mul(self.0.lamports_per_byte_year)?
                    .checked_mul(2)
            })
            .unwrap_or_else(|| self.0.minimum_balance(bytes))
    }

    /// Whether `balance` lamports are enough for an account of `bytes` bytes.
    pub fn is_exempt(&self, balance: u64, bytes: usize) -> bool {
        balance >= self.minimum_balance(bytes)
    }
}
