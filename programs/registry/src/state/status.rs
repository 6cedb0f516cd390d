//! Whether a participant, gateway or meter takes part.

/// Takes part.
pub const ACTIVE: u8 = 1;
/// Takes no part for now.
pub const SUSPENDED: u8 = 2;
/// Will take no part again.
pub const RETIRED: u8 = 3;
