//! One participant's line of an interval: what they sold and bought, and what it came to.
use anchor_lang::prelude::*;
use shared::{
    merkle::{sha256_into, Hash},
    Micros,
};

const DOMAIN: &[u8] = b"peerwatt/line/1";

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Sold in the interval, forward and ex post.
    pub sold_wh: u32,
    /// Bought in the interval, forward and ex post.
    pub bought_wh: u32,
    /// Due for what was sold.
    pub credit_micros: u64,
    /// Owed for what was bought, charges included.
    pub debit_micros: u64,
}

impl Line {
    /// What the participant pays on balance; None when there is nothing to pay and the line receives.
    #[inline(always)]
    pub fn to_pay(&self) -> Option<Micros> {
        if self.debit_micros > self.credit_micros {
            Micros(self.debit_micros).checked_sub(Micros(self.credit_micros))
        } else {
            None
        }
    }

    /// What a receiving line is due on balance, perhaps 0; None for a paying line.
    #[inline(always)]
    pub fn to_receive(&self) -> Option<Micros> {
        Micros(self.credit_micros).checked_sub(Micros(self.debit_micros))
    }

    /// The leaf of line number `index` in the interval's Merkle tree: the domain, start (i64), index (u32), wallet, sold,
    /// bought, credit and debit (u64), all little-endian.
    #[inline(always)]
    pub fn leaf_into(&self, out: &mut Hash, start: i64, index: u32, wallet: &Pubkey) {
        let head = [start as u32, (start >> 32) as u32, index].map(u32::to_le);
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

    /// The leaf, for whoever does not count.
    #[cfg(test)]
    pub fn leaf(&self, start: i64, index: u32, wallet: &Pubkey) -> Hash {
        let mut out = [0; 32];
        self.leaf_into(&mut out, start, index, wallet);
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
        assert_eq!(line(412, 1_878).to_pay(), Some(Micros(1_466)));
        assert_eq!(line(412, 1_878).to_receive(), None);
        assert_eq!(line(5, 5).to_pay(), None);
        assert_eq!(line(5, 5).to_receive(), Some(Micros(0)));
        assert_eq!(line(7, 5).to_receive(), Some(Micros(2)));
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
