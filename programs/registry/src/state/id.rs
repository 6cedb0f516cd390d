//! What the ids of gateways and meters have in common.
use crate::errors::RegistryError;
use anchor_lang::prelude::*;

/// Longest id of a gateway or a meter, in bytes: as much as a part of an address can have.
pub const MAX_ID: usize = 32;

/// The part of an address that an id is. A longer one would end the search for the address without a word of why.
pub fn id_seed(id: &str, invalid: RegistryError) -> Result<&[u8]> {
    if id.len() > MAX_ID {
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
