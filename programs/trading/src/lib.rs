//! Trading: custody, mandates and the settlement of intervals.
//!
//! Everybody's money lies in one pool, booked to accounts that only their wallets draw from. A wallet signs a mandate:
//! what may be bought, sold and debited in its name. With it the settler's key settles an interval: it commits to the
//! root and the totals of all lines, those who pay fill the interval's escrow within their mandates, those who receive
//! are credited from that escrow only, and at the close exactly the charges are left for the vaults. Until the close a
//! settlement can be aborted, and then everything goes back where it came from.
//!
//! At any time the pool covers the balances and the escrows, and the vaults have received all charges: see
//! `Market::invariant` and `IntervalSettlement::invariant`.

extern crate framework as anchor_lang;

pub mod errors;
pub mod events;
pub mod instructions;
pub mod seeds;
pub mod state;
mod tokens;

use anchor_lang::prelude::*;
use instructions::*;
use state::{Commitment, Line, MandateArgs};

declare_id!("4e8YjYAvqBUXiiEY6rRKgwfZLk53UkJzNupmQeucMgfE");

#[program]
pub mod trading {
    use super::*;

    /// Creates the market, its pool and its vaults. Once, by the program's upgrade authority.
    pub fn initialize(ctx: Context<Initialize>, settler: Pubkey, interval_s: u32) -> Result<()> {
        Initialize::handle(ctx, settler, interval_s)
    }

    /// Opens a wallet's account.
    pub fn open_account(ctx: Context<OpenAccount>) -> Result<()> {
        OpenAccount::handle(ctx)
    }

    /// Deposits money from the wallet's token account to its balance.
    pub fn deposit(ctx: Context<Deposit>, amount_micros: u64) -> Result<()> {
        Deposit::handle(ctx, amount_micros)
    }

    /// Withdraws money above the locked reserve to a token account. Nobody and nothing can pause it.
    pub fn withdraw(ctx: Context<Withdraw>, amount_micros: u64) -> Result<()> {
        Withdraw::handle(ctx, amount_micros)
    }

    /// Sets the wallet's next mandate: wider terms bind at once, narrower ones after the horizon.
    pub fn set_mandate(ctx: Context<SetMandate>, args: MandateArgs) -> Result<()> {
        SetMandate::handle(ctx, args)
    }

    /// Commits to the lines of an attested interval.
    #[allow(clippy::too_many_arguments)] // each is one committed value, by name in the IDL
    pub fn open(
        ctx: Context<Open>,
        start_s: i64,
        lines_root: [u8; 32],
        line_count: u32,
        sold_wh: u64,
        bought_wh: u64,
        credit_micros: u64,
        debit_micros: u64,
        clearing_price_mills: u32,
        journal_hash: [u8; 32],
    ) -> Result<()> {
        let commitment = Commitment {
            lines_root,
            line_count,
            sold_wh,
            bought_wh,
            credit_micros,
            debit_micros,
            clearing_price_mills,
            journal_hash,
        };
        Open::handle(ctx, start_s, &commitment)
    }

    /// Settles the next lines, in order. The remaining accounts are the lines' accounts, writable.
    pub fn settle<'info>(
        ctx: Context<'info, Settle<'info>>,
        first_index: u32,
        lines: Vec<Line>,
    ) -> Result<()> {
        Settle::handle(ctx, first_index, &lines)
    }

    /// Aborts an interval's settlement: by the settler before the close, by anybody 24 hours after the interval's end.
    pub fn abort(ctx: Context<Abort>) -> Result<()> {
        Abort::handle(ctx)
    }

    /// Returns lines of an aborted settlement from number `first_index` on. `range_proof` has the roots of the largest
    /// subtrees of the settled lines without any of these, from left to right. The remaining accounts are as in
    /// `settle`.
    pub fn return_lines<'info>(
        ctx: Context<'info, ReturnLines<'info>>,
        first_index: u32,
        lines: Vec<Line>,
        range_proof: Vec<[u8; 32]>,
    ) -> Result<()> {
        ReturnLines::handle(ctx, first_index, &lines, &range_proof)
    }

    /// Closes an aborted settlement when all its lines are returned; its energy is burned.
    pub fn close_aborted(ctx: Context<CloseAborted>) -> Result<()> {
        CloseAborted::handle(ctx)
    }

    /// Closes a settlement whose lines agree with the commitment: charges go to the vaults, the energy is burned.
    pub fn close(ctx: Context<Close>) -> Result<()> {
        Close::handle(ctx)
    }

    /// Closes an interval without lines: by the settler at any time, by anybody when it is too late to open.
    pub fn close_empty(ctx: Context<CloseEmpty>, start_s: i64) -> Result<()> {
        CloseEmpty::handle(ctx, start_s)
    }

    /// Fails unless the wallet's line is number `line_index` of those that the settlement has committed to; `path` has
    /// the sibling hashes up to their root, 32 bytes each. Returns whether the settlement is final. Nobody signs, and
    /// nothing changes.
    pub fn verify_line(
        ctx: Context<VerifyLine>,
        line_index: u32,
        wallet: Pubkey,
        line: Line,
        path: Vec<u8>,
    ) -> Result<bool> {
        VerifyLine::handle(ctx, line_index, &wallet, &line, &path)
    }

    /// Adopts the settler that governance has decided, who accepts by signing.
    pub fn adopt_settler(ctx: Context<AdoptSettler>) -> Result<()> {
        AdoptSettler::handle(ctx)
    }

    /// Adopts the token accounts that receive the charges, as governance has decided. Anyone may call it.
    pub fn adopt_payees(ctx: Context<AdoptPayees>) -> Result<()> {
        AdoptPayees::handle(ctx)
    }

    /// Moves all money in a vault to its payee. Anyone may call it.
    pub fn collect_charges(ctx: Context<CollectCharges>) -> Result<()> {
        CollectCharges::handle(ctx)
    }
}
