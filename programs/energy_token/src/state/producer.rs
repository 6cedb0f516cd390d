//! A producer: a wallet that certificates are issued to, and what later revisions have taken back from them. Never
//! closed.
use crate::errors::EnergyError;
use anchor_lang::prelude::*;
use shared::Wh;

#[account(zero_copy)]
#[derive(Debug)]
pub struct Producer {
    /// The participant's wallet.
    pub wallet: Pubkey,
    /// Wh that were certified and that a later revision does not attest; paid before anything is issued.
    pub debt_wh: u64,
    /// Bump seed of this account's address.
    pub bump: u8,
    /// Padding, zero.
    pub reserved: [u8; 7],
}

impl Producer {
    /// Adds what was taken back.
    pub fn owe(&mut self, wh: Wh) -> Result<()> {
        let debt = Wh(self.debt_wh).checked_add(wh);
        self.debt_wh = debt.ok_or(EnergyError::Overflow)?.0;
        Ok(())
    }

    /// Pays the debt from `wh` that could be certified, as far as they reach, and returns what was paid.
    pub fn pay_from(&mut self, wh: Wh) -> Result<Wh> {
        let paid = wh.min(Wh(self.debt_wh));
        let debt = Wh(self.debt_wh).checked_sub(paid);
        self.debt_wh = debt.ok_or(EnergyError::Overflow)?.0;
        Ok(paid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debt_is_paid_as_far_as_the_energy_reaches() {
        let mut producer = Producer {
            wallet: Pubkey::default(),
            debt_wh: 0,
            bump: 255,
            reserved: [0; 7],
        };
        assert_eq!(producer.pay_from(Wh(5)).unwrap(), Wh(0));
        producer.owe(Wh(7)).unwrap();
        producer.owe(Wh(3)).unwrap();
        assert_eq!(producer.pay_from(Wh(4)).unwrap(), Wh(4));
        assert_eq!(producer.pay_from(Wh(100)).unwrap(), Wh(6));
        assert_eq!(producer.debt_wh, 0);
        producer.owe(Wh(u64::MAX)).unwrap();
        assert!(producer.owe(Wh(1)).is_err());
    }
}
