//! Opens a settlement: the settler commits to the lines of an attested interval, at most 12 hours after its end.
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
#[instruction(start_s: i64)]
pub struct Open<'info> {
    /// Pays rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The market's settler key.
    pub settler: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    /// Revision 1 of the attested interval.
    pub interval: Box<Account<'info, Interval>>,
    /// The interval's minted energy: without it nothing could be burned, and the settlement could never close.
    pub minted: Box<Account<'info, MintedInterval>>,
    /// Governance's parameters, for the rates in force at the interval's start.
    pub params: Box<Account<'info, Params>>,
    /// Governance's pause switch.
    pub pause: Box<Account<'info, Pause>>,
    #[account(
        init,
        payer = payer,
        space = IntervalSettlement::size_for(market.load()?.account_count),
        seeds = [seeds::SETTLEMENT, &start_s.to_le_bytes()],
        bump
    )]
    pub settlement: AccountLoader<'info, IntervalSettlement>,
    pub system_program: Program<'info, System>,
}

impl Open<'_> {
    fn validate(&self, start_s: i64, line_count: u32, now_s: i64) -> Result<()> {
        let (market, interval) = (self.market.load()?, &self.interval);
        market.require_settler(self.settler.key)?;
        require!(!self.pause.paused, TradingError::Paused);
        require!(
            interval.start_s == start_s && interval.revision == 1 && self.minted.start_s == start_s,
            TradingError::WrongInterval
        );
        require!(
            interval.end_s.checked_sub(start_s) == Some(market.interval_s.into()),
            TradingError::WrongInterval
        );
        require!(now_s >= interval.end_s, TradingError::NotEnded);
        let latest_s = interval.end_s.checked_add(OPEN_WINDOW_S);
        require!(latest_s.is_some_and(|s| now_s <= s), TradingError::TooLate);
        require!(
            line_count <= market.account_count,
            TradingError::InvalidLineCount
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, start_s: i64, commitment: &Commitment) -> Result<()> {
        let accounts = ctx.accounts;
        let now_s = Clock::get()?.unix_timestamp;
        accounts.validate(start_s, commitment.line_count, now_s)?;
        let rates = accounts.params.rates_at(start_s);
        let rates = Rates::from(rates.ok_or(TradingError::NoRates)?);
        let mut settlement = accounts.settlement.load_init()?;
        settlement.start_s = start_s;
        settlement.end_s = accounts.interval.end_s;
        settlement.opened_at_s = now_s;
        settlement.account_count = accounts.market.load()?.account_count;
        settlement.bump = ctx.bumps.settlement;
        settlement.commit(commitment, rates)?;
        emit!(SettlementOpened {
            start_s,
            lines_root: commitment.lines_root,
            line_count: commitment.line_count,
            clearing_price_mills: commitment.clearing_price_mills,
            journal_hash: commitment.journal_hash,
        });
        Ok(settlement.invariant()?)
    }
}
