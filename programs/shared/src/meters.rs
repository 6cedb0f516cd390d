//! Bounds of a campus's meters: the registry refuses more, and no attested energy exceeds them.

/// Highest rated power of a meter, in W.
pub const MAX_RATED_POWER_W: u32 = 100_000_000;
/// Most meters in an interval: as many as the market has accounts.
pub const MAX_METERS: u32 = 65_536;
const HOUR_S: u64 = 3_600;

/// Most that `meters` meters can import or export in `interval_s` seconds, in Wh; None beyond 2^64.
pub fn max_energy_wh(meters: u32, interval_s: u32) -> Option<u64> {
    u64::from(meters)
        .checked_mul(u64::from(MAX_RATED_POWER_W))?
        .checked_mul(u64::from(interval_s))
        .map(|watt_seconds| watt_seconds / HOUR_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: u32 = 86_400;

    #[test]
    fn a_meter_at_full_power_for_a_quarter_hour() {
        assert_eq!(max_energy_wh(1, 900), Some(25_000_000));
        assert_eq!(max_energy_wh(0, 900), Some(0));
        assert_eq!(max_energy_wh(u32::MAX, DAY_S), None);
    }

    // Every interval since 1970 at full power: what a sum that only grows must hold.
    #[test]
    fn all_energy_of_three_centuries_fits() {
        let day = max_energy_wh(MAX_METERS, DAY_S).unwrap();
        assert!(day.checked_mul(300 * 366).is_some());
    }
}
