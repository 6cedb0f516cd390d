//! Issues the certificate of a meter's export in an interval. The certificate's address prevents a second one.
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
    interval_leaf::{IntervalLeaf, BLINDING_BYTES, VALID_QUALITY},
    merkle::{as_hashes, climb},
    Wh,
};

/// The registry's kind of a meter that measures nothing but a load.
const LOAD_KIND: u8 = 1;

/// The meter's attested energy in Wh, with its inclusion proof.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct AttestedEnergy {
    pub import_wh: u64,
    pub export_wh: u64,
    /// Blinding of the meter's leaf.
    pub blinding: [u8; BLINDING_BYTES],
    /// Index of the leaf among the interval's meters.
    pub leaf_index: u32,
    /// Sibling hashes from the leaf up to the interval's root, 32 bytes each. As one run of bytes, because reading
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
            &interval.start_s.to_le_bytes(),
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
        seeds = [seeds::CERTIFICATE, meter.key().as_ref(), &interval.start_s.to_le_bytes()],
        bump
    )]
    pub certificate: AccountLoader<'info, Certificate>,
    /// The certificate's first holding, which holds all of it.
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
    fn validate(&self, energy: &AttestedEnergy, device: &Device, now_s: i64) -> Result<()> {
        let interval = &self.interval;
        require!(self.meter.kind != LOAD_KIND, EnergyError::NotProducer);
        Certificate::require_final(interval, now_s)?;
        let length = interval.end_s.checked_sub(interval.start_s);
        require!(
            length.is_some_and(|seconds| seconds <= MAX_PRODUCTION_S),
            EnergyError::IntervalTooLong
        );
        device.require_valid(interval.start_s)?;
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
            start_s: interval.start_s,
            end_s: interval.end_s,
            meter_id: &self.meter.id,
            import_wh: energy.import_wh,
            export_wh: energy.export_wh,
            quality: VALID_QUALITY,
            blinding: &energy.blinding,
        };
        let leaf = leaf.hash().ok_or(EnergyError::NotAttested)?;
        let meters = interval.meters_valid.checked_add(interval.meters_estimated);
        let meters = meters.ok_or(EnergyError::Overflow)?;
        let path = as_hashes(&energy.path).ok_or(EnergyError::NotAttested)?;
        require!(
            climb(&leaf, energy.leaf_index, meters, path) == Some(interval.merkle_root),
            EnergyError::NotAttested
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, energy: &AttestedEnergy, device: &Device) -> Result<()> {
        let accounts = ctx.accounts;
        let now_s = Clock::get()?.unix_timestamp;
        accounts.validate(energy, device, now_s)?;
        let certificate = &mut *accounts.certificate.load_init()?;
        accounts.set_production(certificate, energy, now_s);
        certificate.set_device(device);
        certificate.bump = ctx.bumps.certificate;
        let number = certificate.next_holding_number()?;
        accounts.holding.load_init()?.init(
            accounts.certificate.key(),
            certificate.producer,
            Wh(energy.export_wh),
            number,
            ctx.bumps.holding,
        );
        accounts.emit_issued(certificate);
        certificate.invariant()
    }

    fn set_production(&self, certificate: &mut Certificate, energy: &AttestedEnergy, now_s: i64) {
        certificate.issuing_body = self.issuing_body.key();
        certificate.meter = self.meter.key();
        certificate.producer = self.meter.owner;
        certificate.evidence_root = self.interval.merkle_root;
        certificate.production_start_s = self.interval.start_s;
        certificate.production_end_s = self.interval.end_s;
        certificate.issued_at_s = now_s;
        certificate.face_value_wh = energy.export_wh;
        certificate.rated_power_w = self.meter.rated_power_w;
        certificate.revision = self.interval.revision;
    }

    fn emit_issued(&self, certificate: &Certificate) {
        emit!(CertificateIssued {
            certificate: self.certificate.key(),
            holding: self.holding.key(),
            meter: certificate.meter,
            producer: certificate.producer,
            issuing_body: certificate.issuing_body,
            production_start_s: certificate.production_start_s,
            production_end_s: certificate.production_end_s,
            wh: certificate.face_value_wh,
            revision: certificate.revision,
        });
    }
}
