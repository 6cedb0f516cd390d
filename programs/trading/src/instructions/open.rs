//! The settler commits to the lines of an attested interval, at most 12 hours after its end.
use crate::{
    errors::TradingError,
    events::SettlementOpened,
    seeds,
    state::{Commitment, IntervalSettlement, Market, Rates, OPEN_WINDOW_S},
};
use anchor_lang::prelude::*;
use energy_token::state::MintedInterval;
use governance::state::{Params, Pause};
use oracle::state::Interval;

#[derive(Accounts)]
#[instruction(start: i64)]
pub struct Open<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The market's settler.
    pub settler: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    /// What the oracle attested, in its first revision.
    pub interval: Box<Account<'info, Interval>>,
    /// What was minted for the interval: without it nothing could be burned, and the settlement could never end.
    pub minted: Box<Account<'info, MintedInterval>>,
    /// The rates, past and future.
    pub params: Box<Account<'info, Params>>,
    /// Governance's switch.
    pub pause: Box<Account<'info, Pause>>,
    #[account(
        init,
        payer = payer,
        space = IntervalSettlement::size_for(market.load()?.accounts),
        seeds = [seeds::SETTLEMENT, &start.to_le_bytes()],
        bump
    )]
    pub settlement: AccountLoader<'info, IntervalSettlement>,
    pub system_program: Program<'info, System>,
}

impl Open<'_> {
    fn validate(&self, start: i64, line_count: u32, now: i64) -> Result<()> {
        let (market, interval) = (self.market.load()?, &self.interval);
        market.require_settler(self.settler.key)?;
        require!(!self.pause.paused, TradingError::Paused);
        require!(
            interval.start == start && interval.revision == 1 && self.minted.start == start,
            TradingError::WrongInterval
        );
        require!(
            interval.end.checked_sub(start) == Some(market.interval_s.into()),
            TradingError::WrongInterval
        );
        require!(now >= interval.end, TradingError::NotEnded);
        let latest = interval.end.checked_add(OPEN_WINDOW_S);
        require!(latest.is_some_and(|at| now <= at), TradingError::TooLate);
        require!(
            line_count <= market.accounts,
            TradingError::InvalidLineCount
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, start: i64, commitment: &Commitment) -> Result<()> {
        let accounts = ctx.accounts;
        let now = Clock::get()?.unix_timestamp;
        accounts.validate(start, commitment.line_count, now)?;
        let rates = accounts.params.rates_at(start);
        let rates = Rates::from(rates.ok_or(TradingError::NoRates)?);
        let mut settlement = accounts.settlement.load_init()?;
        settlement.start = start;
        settlement.end = accounts.interval.end;
        settlement.opened_at = now;
        settlement.accounts = accounts.market.load()?.accounts;
        settlement.bump = ctx.bumps.settlement;
        settlement.commit(commitment, rates)?;
        emit!(SettlementOpened {
            start,
            lines_root: commitment.lines_root,
            line_count: commitment.line_count,
            clearing_price_mills: commitment.clearing_price_mills,
            journal_hash: commitment.journal_hash,
        });
        Ok(settlement.invariant()?)
    }
}
