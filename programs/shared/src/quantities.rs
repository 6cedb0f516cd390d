//! Quantities as types, so that energy, money and prices cannot be mixed up, and no sum overflows unseen.
//!
//! `Micros = Wh * PriceMills` is exact: a thousandth of the currency per kWh is a millionth per Wh.

/// An amount of energy in watt-hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wh(pub u64);

/// An amount of money in millionths of the currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micros(pub u64);

/// A price or charge in thousandths of the currency per kWh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PriceMills(pub u32);

impl Wh {
    pub const ZERO: Self = Self(0);

    /// Cost of the energy at a price, or None beyond 2^64 micros.
    #[inline(always)]
    pub fn cost_at(self, price: PriceMills) -> Option<Micros> {
        self.0.checked_mul(u64::from(price.0)).map(Micros)
    }

    #[inline(always)]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    #[inline(always)]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl Micros {
    pub const ZERO: Self = Self(0);

    #[inline(always)]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    #[inline(always)]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kilowatt_hour_at_one_mill_is_a_thousand_micros() {
        assert_eq!(Wh(1_000).cost_at(PriceMills(1)), Some(Micros(1_000)));
        assert_eq!(Wh(400).cost_at(PriceMills(4_250)), Some(Micros(1_700_000)));
    }

    #[test]
    fn money_beyond_the_type_is_refused() {
        let most = Wh(u64::MAX / u64::from(u32::MAX));
        assert!(most.cost_at(PriceMills(u32::MAX)).is_some());
        assert_eq!(Wh(most.0 + 1).cost_at(PriceMills(u32::MAX)), None);
    }

    #[test]
    fn sums_and_differences_stop_at_the_border() {
        assert_eq!(Wh(u64::MAX).checked_add(Wh(1)), None);
        assert_eq!(Wh(1).checked_sub(Wh(2)), None);
        assert_eq!(Micros(u64::MAX).checked_add(Micros(1)), None);
        assert_eq!(Micros(1).checked_sub(Micros(2)), None);
    }
}
