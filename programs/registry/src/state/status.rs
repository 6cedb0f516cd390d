//! Status of a participant, gateway or meter.
use crate::errors::RegistryError;
use anchor_lang::prelude::*;

/// Takes part in the market.
pub const ACTIVE: u8 = 1;
/// Suspended, and can become active again.
pub const SUSPENDED: u8 = 2;
/// Retired for good.
pub const RETIRED: u8 = 3;

/// Fails unless there is such a status and `before` can become `after`: nothing comes back from retirement.
pub fn require_status_change(before: u8, after: u8) -> Result<()> {
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
            assert!(
                require_status_change(before, after).is_ok(),
                "{before} {after}"
            );
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
            assert!(
                require_status_change(before, after).is_err(),
                "{before} {after}"
            );
        }
    }
}
