//! Whether a participant, gateway or meter takes part.
use crate::errors::RegistryError;
use anchor_lang::prelude::*;

/// Takes part.
pub const ACTIVE: u8 = 1;
/// Takes no part for now.
pub const SUSPENDED: u8 = 2;
/// Will take no part again.
pub const RETIRED: u8 = 3;

/// Fails unless there is such a status and `before` can become `after`: nothing comes back from retirement.
pub fn require_change(before: u8, after: u8) -> Result<()> {
    require!(
        (ACTIVE..=RETIRED).contains(&after),
        RegistryError::InvalidStatus
    );
    require!(before != RETIRED, RegistryError::Retired);
    require!(before != after, RegistryError::StatusUnchanged);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_retirement_is_for_ever() {
        for (before, after) in [(1, 2), (1, 3), (2, 1), (2, 3)] {
            assert!(require_change(before, after).is_ok(), "{before} {after}");
        }
        for (before, after) in [
            (1, 1),
            (2, 2),
            (3, 1),
            (3, 2),
            (3, 3),
            (1, 0),
            (1, 4),
            (2, 255),
        ] {
            assert!(require_change(before, after).is_err(), "{before} {after}");
        }
    }
}
