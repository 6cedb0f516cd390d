//! Ids of gateways and meters: their length, and the seed of an address that they are.
use crate::errors::RegistryError;
use anchor_lang::prelude::*;

/// Longest id of a gateway or a meter, in bytes: as long as a seed can be.
pub const MAX_ID_BYTES: usize = 32;

/// The id as a seed; fails with `invalid` when it is too long for one, where the search would fail without a reason.
pub fn id_seed(id: &str, invalid: RegistryError) -> Result<&[u8]> {
    if id.len() > MAX_ID_BYTES {
        return Err(invalid.into());
    }
    Ok(id.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_too_long_has_no_address() {
        let seed = |id: &str| id_seed(id, RegistryError::InvalidMeterId).map(<[u8]>::len);
        assert_eq!(seed(&"A".repeat(32)).unwrap(), 32);
        assert!(seed(&"A".repeat(33)).is_err());
    }
}
