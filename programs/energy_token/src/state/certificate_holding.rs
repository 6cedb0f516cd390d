//! A holding: a part of a certificate, which is transferred and cancelled as a whole. Never closed.
use crate::errors::EnergyError;
use anchor_lang::prelude::*;
use shared::Wh;

#[account(zero_copy)]
#[derive(Debug)]
pub struct CertificateHolding {
    /// The certificate's account.
    pub certificate: Pubkey,
    /// The wallet that may slice, transfer and cancel; the last one when it is cancelled.
    pub holder: Pubkey,
    /// Amount of the holding in Wh; never 0.
    pub wh: u64,
    /// Number of the holding within the certificate, from 0.
    pub number: u32,
    /// 1 once it is cancelled, after which nothing changes any more; else 0.
    pub cancelled: u8,
    /// Bump seed of this account's address.
    pub bump: u8,
    /// Padding, zero.
    pub reserved: [u8; 2],
}

impl CertificateHolding {
    /// Sets the fields of a new holding, which are zero so far.
    pub fn init(&mut self, certificate: Pubkey, holder: Pubkey, wh: Wh, number: u32, bump: u8) {
        self.certificate = certificate;
        self.holder = holder;
        self.wh = wh.0;
        self.number = number;
        self.bump = bump;
    }

    fn require_not_cancelled(&self) -> Result<()> {
        require!(self.cancelled == 0, EnergyError::Cancelled);
        Ok(())
    }

    /// Takes `wh` out for a holding of its own, and leaves at least 1 Wh.
    pub fn slice(&mut self, wh: Wh) -> Result<()> {
        self.require_not_cancelled()?;
        require!(wh > Wh::ZERO && wh < Wh(self.wh), EnergyError::InvalidSlice);
        let left = Wh(self.wh).checked_sub(wh);
        self.wh = left.ok_or(EnergyError::Overflow)?.0;
        Ok(())
    }

    /// Transfers the holding to another wallet, if it is of the agreed `wh`.
    pub fn transfer(&mut self, to: Pubkey, wh: Wh) -> Result<()> {
        self.require_not_cancelled()?;
        require!(wh == Wh(self.wh), EnergyError::WrongAmount);
        require!(
            to != Pubkey::default() && to != self.holder,
            EnergyError::InvalidHolder
        );
        self.holder = to;
        Ok(())
    }

    pub fn cancel(&mut self) -> Result<()> {
        self.require_not_cancelled()?;
        self.cancelled = 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(wh: u64) -> CertificateHolding {
        CertificateHolding {
            certificate: Pubkey::default(),
            holder: Pubkey::new_from_array([1; 32]),
            wh,
            number: 0,
            cancelled: 0,
            bump: 255,
            reserved: [0; 2],
        }
    }

    #[test]
    fn a_slice_leaves_something_on_both_sides() {
        for (of, wh) in [(10, 0), (10, 10), (10, 11), (1, 1), (10, u64::MAX)] {
            assert!(holding(of).slice(Wh(wh)).is_err(), "{wh} of {of}");
        }
        let mut whole = holding(10);
        whole.slice(Wh(9)).unwrap();
        assert_eq!(whole.wh, 1);
    }

    #[test]
    fn a_cancelled_one_never_moves() {
        let mut done = holding(10);
        done.cancel().unwrap();
        assert!(done.slice(Wh(1)).is_err());
        assert!(done
            .transfer(Pubkey::new_from_array([2; 32]), Wh(10))
            .is_err());
        assert!(done.cancel().is_err());
        assert_eq!(
            (done.wh, done.holder),
            (10, Pubkey::new_from_array([1; 32]))
        );
    }

    #[test]
    fn goes_to_another_wallet_as_agreed() {
        let mut whole = holding(10);
        assert!(whole.transfer(Pubkey::default(), Wh(10)).is_err());
        assert!(whole.transfer(whole.holder, Wh(10)).is_err());
        assert!(whole
            .transfer(Pubkey::new_from_array([2; 32]), Wh(9))
            .is_err());
        whole
            .transfer(Pubkey::new_from_array([2; 32]), Wh(10))
            .unwrap();
        assert_eq!(whole.holder, Pubkey::new_from_array([2; 32]));
    }
}
