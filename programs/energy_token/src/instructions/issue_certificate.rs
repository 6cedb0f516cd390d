//! Certifies what a meter has exported in an interval. The certificate's address keeps it from happening twice.
use crate::{
    errors::EnergyError,
    events::CertificateIssued,
    seeds,
    state::{Certificate, CertificateHolding, Device, MAX_PRODUCTION_S},
};
use anchor_lang::prelude::*;
use governance::state::Authority;
use oracle::state::Interval;
use registry::state::Meter;
use shared::{
    interval_leaf::{IntervalLeaf, BLINDING_BYTES, VALID},
    merkle::{as_hashes, climb},
    Wh,
};

/// The registry's kind of meters that measure nothing but a load.
const LOAD: u8 = 1;

/// What the oracle has attested for the meter, with the proof.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct AttestedEnergy {
    pub import_wh: u64,
    pub export_wh: u64,
    /// Of the meter's leaf.
    pub blinding: [u8; BLINDING_BYTES],
    /// The leaf's place among the interval's meters.
    pub index: u32,
    /// Its neighbours on the way to the interval's root, bottom up, 32 bytes each. One after the other, because reading
    /// them one by one takes as long as hashing them.
    pub path: Vec<u8>,
}

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
    /// The interval's last revision.
    pub interval: Box<Account<'info, Interval>>,
    /// CHECK: where the oracle would have the next revision: nothing of the oracle's may be there.
    #[account(
        seeds = [
            oracle::seeds::INTERVAL,
            &interval.start.to_le_bytes(),
            &interval.revision.saturating_add(1).to_le_bytes()
        ],
        seeds::program = oracle::ID,
        bump,
        constraint = *next_revision.owner != oracle::ID @ EnergyError::NotLastRevision
    )]
    pub next_revision: UncheckedAccount<'info>,
    #[account(
        init,
        dup,
        payer = payer,
        space = 8 + core::mem::size_of::<Certificate>(),
        seeds = [seeds::CERTIFICATE, meter.key().as_ref(), &interval.start.to_le_bytes()],
        bump
    )]
    pub certificate: AccountLoader<'info, Certificate>,
    /// The certificate's first, of all of it.
    #[account(
        init,
        dup,
        payer = payer,
        space = 8 + core::mem::size_of::<CertificateHolding>(),
        seeds = [seeds::HOLDING, certificate.key().as_ref(), &0u32.to_le_bytes()],
        bump
    )]
    pub holding: AccountLoader<'info, CertificateHolding>,
    pub system_program: Program<'info, System>,
}

impl IssueCertificate<'_> {
    fn validate(&self, energy: &AttestedEnergy, device: &Device, now: i64) -> Result<()> {
        let interval = &self.interval;
        require!(self.meter.kind != LOAD, EnergyError::NotProducer);
        Certificate::require_settled(interval, now)?;
        let length = interval.end.checked_sub(interval.start);
        require!(
            length.is_some_and(|seconds| seconds <= MAX_PRODUCTION_S),
            EnergyError::IntervalTooLong
        );
        device.require_sound(interval.start)?;
        require!(energy.export_wh > 0, EnergyError::NothingToCertify);
        require!(
            energy.export_wh <= interval.export_wh,
            EnergyError::NotAttested
        );
        self.require_attested(energy)
    }

    /// Fails unless the energy is one of the interval's valid leaves.
    fn require_attested(&self, energy: &AttestedEnergy) -> Result<()> {
        let interval = &self.interval;
        let leaf = IntervalLeaf {
            start: interval.start,
            end: interval.end,
            meter_id: &self.meter.id,
            import_wh: energy.import_wh,
            export_wh: energy.export_wh,
            quality: VALID,
            blinding: &energy.blinding,
        };
        let leaf = leaf.hash().ok_or(EnergyError::NotAttested)?;
        let meters = interval.meters_valid.checked_add(interval.meters_estimated);
        let meters = meters.ok_or(EnergyError::Overflow)?;
        let path = as_hashes(&energy.path).ok_or(EnergyError::NotAttested)?;
        require!(
            climb(&leaf, energy.index, meters, path) == Some(interval.merkle_root),
            EnergyError::NotAttested
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, energy: &AttestedEnergy, device: &Device) -> Result<()> {
        let accounts = ctx.accounts;
        let now = Clock::get()?.unix_timestamp;
        accounts.validate(energy, device, now)?;
        let certificate = &mut *accounts.certificate.load_init()?;
        accounts.certify(certificate, energy, now);
        certificate.describe(device);
        certificate.bump = ctx.bumps.certificate;
        let number = certificate.count_holding()?;
        accounts.holding.load_init()?.begin(
            accounts.certificate.key(),
            certificate.producer,
            Wh(energy.export_wh),
            number,
            ctx.bumps.holding,
        );
        accounts.tell(certificate);
        certificate.invariant()
    }

    fn certify(&self, certificate: &mut Certificate, energy: &AttestedEnergy, now: i64) {
        certificate.issuing_body = self.issuing_body.key();
        certificate.meter = self.meter.key();
        certificate.producer = self.meter.owner;
        certificate.evidence_root = self.interval.merkle_root;
        certificate.production_start = self.interval.start;
        certificate.production_end = self.interval.end;
        certificate.issued_at = now;
        certificate.face_value_wh = energy.export_wh;
        certificate.rated_power_w = self.meter.rated_power_w;
        certificate.revision = self.interval.revision;
    }

    fn tell(&self, certificate: &Certificate) {
        emit!(CertificateIssued {
            certificate: self.certificate.key(),
            holding: self.holding.key(),
            meter: certificate.meter,
            producer: certificate.producer,
            issuing_body: certificate.issuing_body,
            production_start: certificate.production_start,
            production_end: certificate.production_end,
            wh: certificate.face_value_wh,
            revision: certificate.revision,
        });
    }
}
