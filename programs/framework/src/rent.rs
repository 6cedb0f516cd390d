//! What an account must hold to live, in integers where the cluster's terms allow it.

use ::anchor_lang::prelude::{Rent as Terms, Result, SolanaSysvar as _};

/// Bytes that every account counts beside its data.
const OVERHEAD: u64 = 128;

/// The cluster's terms.
pub struct Rent(Terms);

impl Rent {
    pub fn get() -> Result<Self> {
        Ok(Self(Terms::get()?))
    }

    /// Lamports that an account of this many bytes needs.
    #[allow(deprecated)] // the two terms as clusters have them today; other terms take the slow way
    pub fn minimum_balance(&self, bytes: usize) -> u64 {
        let whole_years = self.0.exemption_threshold.to_bits() == 2f64.to_bits();
        let billed = OVERHEAD.checked_add(bytes as u64);
        billed
            .filter(|_| whole_years)
            .and_then(|billed| {
                billed
                    .checked_mul(self.0.lamports_per_byte_year)?
                    .checked_mul(2)
            })
            .unwrap_or_else(|| self.0.minimum_balance(bytes))
    }

    /// Whether this balance is enough for an account of this many bytes.
    pub fn is_exempt(&self, balance: u64, bytes: usize) -> bool {
        balance >= self.minimum_balance(bytes)
    }
}
