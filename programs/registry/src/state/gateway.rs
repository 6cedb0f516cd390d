//! A gateway: the box that reads meters and signs what it reads.
use super::MAX_ID_BYTES;
use anchor_lang::prelude::*;

#[account]
#[derive(InitSpace)]
pub struct Gateway {
    /// Id of the gateway in every frame that it signs.
    #[max_len(MAX_ID_BYTES)]
    pub id: String,
    /// 1 active, 2 suspended, 3 retired.
    pub status: u8,
    /// Number of keys so far, expired ones included.
    pub key_count: u16,
    /// Time of registration, in Unix seconds.
    pub registered_at_s: i64,
    /// Bump seed of this account's address.
    pub bump: u8,
}

/// Whether the id is 1 to 32 of a-z, 0-9 and -, the first not a -.
pub fn is_gateway_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_ID_BYTES).contains(&id.len()) && !id.starts_with('-') && id.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_lower_case_names() {
        for good in ["gw-north", "0", &"a".repeat(32)] {
            assert!(is_gateway_id(good), "{good}");
        }
        for bad in [
            "",
            "-north",
            "Gw",
            "gw north",
            "gw_north",
            "gẅ",
            &"a".repeat(33),
        ] {
            assert!(!is_gateway_id(bad), "{bad}");
        }
    }
}
