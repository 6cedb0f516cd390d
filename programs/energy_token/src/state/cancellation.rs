//! Cancellation of a holding: the public claim of its energy, with beneficiary and purpose. Never closed.
use crate::errors::EnergyError;
use anchor_lang::prelude::*;

/// Longest beneficiary and longest purpose, in bytes.
pub const MAX_STATEMENT_BYTES: usize = 64;
/// Bytes of discriminator, holding, time, two lengths and bump.
const FIXED_BYTES: usize = 8 + 32 + 8 + 4 + 4 + 1;

#[account]
pub struct Cancellation {
    /// The holding's account.
    pub holding: Pubkey,
    /// Time of the cancellation, in Unix seconds.
    pub cancelled_at_s: i64,
    /// Beneficiary: who may claim to have used the energy.
    pub beneficiary: String,
    /// Purpose of the claim.
    pub purpose: String,
    /// Bump seed of this account's address.
    pub bump: u8,
}

impl Cancellation {
    /// Bytes of a cancellation with this beneficiary and purpose.
    pub fn size_for(beneficiary: &str, purpose: &str) -> usize {
        FIXED_BYTES
            .saturating_add(beneficiary.len())
            .saturating_add(purpose.len())
    }

    pub fn invariant(&self) -> Result<()> {
        require!(
            is_statement(&self.beneficiary) && is_statement(&self.purpose),
            EnergyError::InvalidStatement
        );
        Ok(())
    }
}

fn is_statement(words: &str) -> bool {
    (1..=MAX_STATEMENT_BYTES).contains(&words.len())
        && !words.bytes().any(|byte| byte.is_ascii_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_short_and_readable() {
        for good in ["x", "Bibliothèque, 2026", &"a".repeat(64)] {
            assert!(is_statement(good), "{good}");
        }
        for bad in ["", "two\nlines", "\u{7f}", &"a".repeat(65)] {
            assert!(!is_statement(bad), "{bad:?}");
        }
    }

    #[test]
    fn has_the_size_of_what_it_holds() {
        let mut bytes = Vec::new();
        let made = Cancellation {
            holding: Pubkey::default(),
            cancelled_at_s: 1,
            beneficiary: "library".into(),
            purpose: "2026".into(),
            bump: 255,
        };
        made.try_serialize(&mut bytes).unwrap();
        assert_eq!(bytes.len(), Cancellation::size_for("library", "2026"));
    }
}
