//! Grid zones. There is one zone today; prices may differ by zone one day.

/// The only zone, its name padded with zeros.
pub const CAMPUS_ZONE: [u8; 16] = *b"campus\0\0\0\0\0\0\0\0\0\0";
