//! Issues the certificate of a meter's export in an interval, as far as it is not certified yet. Its address, and the
//! revision that number 0 counts, prevent a second one. What the producer owes is withheld.
use crate::{
    errors::EnergyError,
    events::CertificateIssued,
    seeds,
    state::{
        next_attested_s, AttestedEnergy, Certificate, CertificateHolding, Device, Producer,
        MAX_PRODUCTION_S,
    },
};
use anchor_lang::prelude::*;
use governance::state::Authority;
use oracle::state::Interval;
use registry::state::{kind, Meter};
use shared::{interval_leaf::VALID_QUALITY, Wh};

#[derive(Accounts)]
pub struct IssueCertificate<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The REC validator.
    pub issuing_body: Signer<'info>,
    /// Governance's authority set, which names the REC validator.
    #[account(
        constraint = authority.rec_validator == issuing_body.key() @ EnergyError::NotIssuer
    )]
    pub authority: Box<Account<'info, Authority>>,
    pub meter: Box<Account<'info, Meter>>,
    /// The interval's revision in force.
    pub interval: Box<Account<'info, Interval>>,
    /// CHECK: where the oracle would have the next revision; it is read if it is the oracle's.
    #[account(
        seeds = [
            oracle::seeds::INTERVAL,
            &interval.start_s.to_le_bytes(),
            &interval.revision.saturating_add(1).to_le_bytes()
        ],
        seeds::program = oracle::ID,
        bump
    )]
    pub next_revision: UncheckedAccount<'info>,
    /// Account of the wallet that the certificates of the meter and the interval go to: their first producer, or the
    /// meter's owner when there is none yet.
    #[account(mut, dup)]
    pub producer: AccountLoader<'info, Producer>,
    /// Number 0 of the certificates of the meter and the interval, unless this is it.
    #[account(mut, dup)]
    pub first: Option<AccountLoader<'info, Certificate>>,
    #[account(
        init,
        dup,
        payer = payer,
        space = 8 + core::mem::size_of::<Certificate>(),
        seeds = [
            seeds::CERTIFICATE,
            meter.key().as_ref(),
            &interval.start_s.to_le_bytes(),
            &next_number(&first)?.to_le_bytes()
        ],
        bump
    )]
    pub certificate: AccountLoader<'info, Certificate>,
    /// The certificate's first holding, which holds all of it; none when all of it pays the producer's debt.
    #[account(
        init,
        dup,
        payer = payer,
        space = 8 + core::mem::size_of::<CertificateHolding>(),
        seeds = [seeds::HOLDING, certificate.key().as_ref(), &0u32.to_le_bytes()],
        bump
    )]
    pub holding: Option<AccountLoader<'info, CertificateHolding>>,
    pub system_program: Program<'info, System>,
}

/// Number of the next certificate after those that `first` counts.
fn next_number(first: &Option<AccountLoader<Certificate>>) -> Result<u16> {
    match first {
        Some(first) => Ok(first.load()?.certificate_count),
        None => Ok(0),
    }
}

impl IssueCertificate<'_> {
    fn validate(&self, device: &Device, now_s: i64) -> Result<()> {
        let interval = &self.interval;
        require!(
            self.meter.kind != kind::FEEDER,
            EnergyError::FeederNotCertified
        );
        require!(self.meter.kind != kind::LOAD, EnergyError::NotProducer);
        let next_attested_s = next_attested_s(&self.next_revision)?;
        Certificate::require_in_force(interval, next_attested_s, now_s)?;
        let length = interval.end_s.checked_sub(interval.start_s);
        require!(
            length.is_some_and(|seconds| seconds <= MAX_PRODUCTION_S),
            EnergyError::IntervalTooLong
        );
        device.require_valid(interval.start_s)
    }

    pub fn handle(ctx: Context<Self>, energy: &AttestedEnergy, device: &Device) -> Result<()> {
        let accounts = ctx.accounts;
        let now_s = Clock::get()?.unix_timestamp;
        accounts.validate(device, now_s)?;
        let certificate = &mut *accounts.certificate.load_init()?;
        accounts.set_production(certificate, now_s);
        certificate.set_device(device);
        certificate.bump = ctx.bumps.certificate;
        accounts.set_amount(certificate, energy)?;
        accounts.hold(certificate, ctx.bumps.holding)?;
        accounts.emit_issued(certificate);
        certificate.invariant()
    }

    fn set_production(&self, certificate: &mut Certificate, now_s: i64) {
        certificate.issuing_body = self.issuing_body.key();
        certificate.meter = self.meter.key();
        certificate.evidence_root = self.interval.merkle_root;
        certificate.production_start_s = self.interval.start_s;
        certificate.production_end_s = self.interval.end_s;
        certificate.issued_at_s = now_s;
        certificate.rated_power_w = self.meter.rated_power_w;
        certificate.revision = self.interval.revision;
    }

    /// Sets producer, number and amounts: what is attested and not certified yet, less what the producer owes.
    fn set_amount(&self, certificate: &mut Certificate, energy: &AttestedEnergy) -> Result<()> {
        let interval = &self.interval;
        require!(energy.export_wh > 0, EnergyError::NothingToCertify);
        let export = energy.certifiable(interval, &self.meter.id, VALID_QUALITY)?;
        let (claimed, number) = match &self.first {
            Some(first) => {
                let first = &mut *first.load_mut()?;
                first.require_first_of(self.meter.key(), interval.start_s)?;
                certificate.producer = first.producer;
                first.claim(interval.revision, export)?
            }
            None => {
                certificate.producer = self.meter.owner;
                certificate.claim(interval.revision, export)?
            }
        };
        let producer = &mut *self.producer.load_mut()?;
        require_keys_eq!(
            producer.wallet,
            certificate.producer,
            EnergyError::WrongProducer
        );
        let withheld = producer.pay_from(claimed)?;
        let issued = claimed.checked_sub(withheld);
        certificate.number = number;
        certificate.withheld_wh = withheld.0;
        certificate.face_value_wh = issued.ok_or(EnergyError::Overflow)?.0;
        Ok(())
    }

    fn hold(&self, certificate: &mut Certificate, bump: Option<u8>) -> Result<()> {
        let wh = Wh(certificate.face_value_wh);
        let (Some(holding), Some(bump)) = (&self.holding, bump) else {
            require!(wh == Wh::ZERO, EnergyError::WrongHolding);
            return Ok(());
        };
        require!(wh > Wh::ZERO, EnergyError::WrongHolding);
        let number = certificate.next_holding_number()?;
        let (address, producer) = (self.certificate.key(), certificate.producer);
        let mut holding = holding.load_init()?;
        holding.init(address, producer, wh, number, bump);
        Ok(())
    }

    fn emit_issued(&self, certificate: &Certificate) {
        emit!(CertificateIssued {
            certificate: self.certificate.key(),
            meter: certificate.meter,
            producer: certificate.producer,
            production_start_s: certificate.production_start_s,
            wh: certificate.face_value_wh,
            withheld_wh: certificate.withheld_wh,
            revision: certificate.revision,
            number: certificate.number,
        });
    }
}
