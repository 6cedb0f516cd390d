//! A line: what one participant sold and bought in an interval, with credit and debit.
use anchor_lang::prelude::*;
use shared::{
    merkle::{sha256_into, Hash},
    Micros,
};

const DOMAIN: &[u8] = b"peerwatt/line/1";

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Wh sold in the interval, forward and ex post.
    pub sold_wh: u32,
    /// Wh bought in the interval, forward and ex post.
    pub bought_wh: u32,
    /// Due for what was sold, in micros.
    pub credit_micros: u64,
    /// Owed for what was bought, charges included, in micros.
    pub debit_micros: u64,
}

impl Line {
    /// Net amount that a paying line pays; None for a receiving line.
    #[inline(always)]
    pub fn net_payable(&self) -> Option<Micros> {
        if self.debit_micros > self.credit_micros {
            Micros(self.debit_micros).checked_sub(Micros(self.credit_micros))
        } else {
            None
        }
    }

    /// Net amount that a receiving line is due, perhaps 0; None for a paying line.
    #[inline(always)]
    pub fn net_receivable(&self) -> Option<Micros> {
        Micros(self.credit_micros).checked_sub(Micros(self.debit_micros))
    }

    /// The leaf of line number `index` in the interval's Merkle tree: the domain, start (i64), index (u32), wallet,
    /// sold, bought, credit and debit (u64), all little-endian.
    #[inline(always)]
    pub fn leaf_into(&self, out: &mut Hash, start_s: i64, index: u32, wallet: &Pubkey) {
        let head = [start_s as u32, (start_s >> 32) as u32, index].map(u32::to_le);
        let numbers = [
            self.sold_wh.into(),
            self.bought_wh.into(),
            self.credit_micros,
            self.debit_micros,
        ]
        .map(u64::to_le);
        let parts = [
            DOMAIN,
            bytemuck::bytes_of(&head),
            wallet.as_ref(),
            bytemuck::bytes_of(&numbers),
        ];
        sha256_into(out, &parts);
    }

    /// The leaf as a value, for tests.
    #[cfg(test)]
    pub fn leaf(&self, start_s: i64, index: u32, wallet: &Pubkey) -> Hash {
        let mut out = [0; 32];
        self.leaf_into(&mut out, start_s, index, wallet);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pays_or_receives_the_difference() {
        let line = |credit_micros, debit_micros| Line {
            credit_micros,
            debit_micros,
            ..Line::default()
        };
        assert_eq!(line(412, 1_878).net_payable(), Some(Micros(1_466)));
        assert_eq!(line(412, 1_878).net_receivable(), None);
        assert_eq!(line(5, 5).net_payable(), None);
        assert_eq!(line(5, 5).net_receivable(), Some(Micros(0)));
        assert_eq!(line(7, 5).net_receivable(), Some(Micros(2)));
    }

    #[test]
    fn is_read_as_it_is_written() {
        let line = Line {
            sold_wh: 0x0102_0304,
            bought_wh: u32::MAX,
            credit_micros: 0x0506_0708_090a_0b0c,
            debit_micros: u64::MAX - 1,
        };
        let mut bytes = Vec::new();
        line.serialize(&mut bytes).unwrap();
        assert_eq!(bytes.len(), 24);
        assert_eq!(Line::try_from_slice(&bytes).unwrap(), line);
        assert!(Line::try_from_slice(&bytes[..23]).is_err());
    }

    // From Python's hashlib, so that the settlement plan agrees with this program on the bytes.
    #[test]
    fn known_leaf() {
        let line = Line {
            sold_wh: 100,
            bought_wh: 600,
            credit_micros: 412_000,
            debit_micros: 1_878_000,
        };
        let leaf = line.leaf(1_750_000_500, 3, &Pubkey::new_from_array([7; 32]));
        let hex: String = leaf.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "aacff46c33207f5de29a4cf5f01da1dbe3036bbfff39b34f7ca6a77899c271c7"
        );
    }
}
