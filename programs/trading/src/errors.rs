//! Errors: what the program refuses, and how to put the call right.
use anchor_lang::prelude::*;

#[error_code]
#[derive(PartialEq, Eq)]
pub enum TradingError {
    #[msg("only the program's upgrade authority may initialize it")]
    NotUpgradeAuthority,
    #[msg("the interval must be as long as the oracle's")]
    InvalidIntervalLength,
    #[msg("the currency must be a Token-2022 mint of 6 decimals without extensions and without freeze authority")]
    UnsuitableCurrency,
    #[msg("there is no room for another account in this market")]
    TooManyAccounts,
    #[msg("the registry does not know the wallet as an active participant")]
    NotParticipant,
    #[msg("the account belongs to another wallet")]
    WrongWallet,
    #[msg("the mint is not the market's currency")]
    WrongCurrency,
    #[msg("the token account is not the market's pool")]
    WrongPool,
    #[msg("the token account is not the market's vault for this charge")]
    WrongVault,
    #[msg("an amount of 0 changes nothing")]
    NothingToDo,
    #[msg("the balance is too low")]
    InsufficientBalance,
    #[msg("the amount touches the reserve: it is free 24 hours after the last interval that its mandate covers")]
    ReserveLocked,
    #[msg(
        "the amount touches a credit of a settlement that is not closed yet: wait for its close"
    )]
    CreditOpen,
    #[msg("the pool no longer covers all balances: nothing was changed, report this")]
    PoolShort,
    #[msg("the nonce must be the last mandate's plus 1: read the account and sign again")]
    MandateNonce,
    #[msg("the horizon must not exceed 48 hours, and the expiry must lie within five years")]
    InvalidMandate,
    #[msg("four mandates are still needed: wait until the oldest is released")]
    MandateTooSoon,
    #[msg("only the market's settler may do this")]
    NotSettler,
    #[msg("settlements are paused by governance; withdrawals are not")]
    Paused,
    #[msg("settlement uses the oracle's revision 1 of this interval")]
    WrongInterval,
    #[msg("the interval has not ended")]
    NotEnded,
    #[msg("the interval ended more than 12 hours ago: close it empty, its trades become utility energy")]
    TooLate,
    #[msg("anybody may close an interval empty, but only 12 hours after its end")]
    TooEarly,
    #[msg("no rates are known for the interval's start")]
    NoRates,
    #[msg("a settlement has 1 to 65,535 lines")]
    InvalidLineCount,
    #[msg("the sums do not agree: sold = bought, debit - credit = charges, and lines = totals")]
    SumMismatch,
    #[msg("the settlement is not open")]
    NotOpen,
    #[msg("these lines are settled already: compare them with the chain and go on")]
    AlreadySettled,
    #[msg("lines are missing before these: settle from the cursor on")]
    OutOfOrder,
    #[msg("a batch needs one account for each of its lines, and at least one line")]
    LineAccounts,
    #[msg("there are more lines than the settlement has committed to")]
    TooManyLines,
    #[msg("the account has a line in this interval already")]
    AccountAlreadySettled,
    #[msg("the account is younger than the settlement: it has no line in it")]
    AccountTooYoung,
    #[msg("those who pay come first: a paying line follows a receiving one")]
    PayerAfterReceiver,
    #[msg(
        "the escrow does not hold what the line is due; when returning, receiving lines come first"
    )]
    EscrowShort,
    #[msg("no mandate of the account covers this interval")]
    MandateMissing,
    #[msg("the line's energy exceeds the mandate")]
    MandateExceededEnergy,
    #[msg("the line's all-in price exceeds the mandate")]
    MandateExceededMaxPrice,
    #[msg("the line sells below the mandate's minimum price")]
    MandateExceededMinPrice,
    #[msg("the line's debit exceeds the mandate for an interval")]
    MandateExceededDebit,
    #[msg("the line's debit exceeds the mandate for the delivery day")]
    MandateExceededDay,
    #[msg("the delivery day is too long ago to know what it has cost")]
    DayTooOld,
    #[msg("lines are missing: settle, or when aborted return, them before closing")]
    LinesMissing,
    #[msg("the lines are not those that the settlement has committed to")]
    RootMismatch,
    #[msg("eight settlements have credited accounts and are not closed: close or abort one first")]
    TooManyCrediting,
    #[msg("only the settler aborts a settlement before 24 hours after the interval's end")]
    TooEarlyToAbort,
    #[msg("the settlement is not aborted, or everything is returned and it is closed")]
    NotReturning,
    #[msg("the lines and what stands beside them do not lead to the root of the settled lines")]
    NotSettledLines,
    #[msg("the account's line is returned already: leave it out")]
    AlreadyReturned,
    #[msg("no line of this settlement counts: it was aborted, or closed empty")]
    NoLinesCount,
    #[msg("the line and its path do not lead to the root that the settlement has committed to")]
    NotCommittedLine,
    #[msg("the proposal is no executed decision on this: pass the one that governance has executed within 14 days")]
    NotDecided,
    #[msg("the key or account is not the one that governance has decided")]
    NotDecidedAccount,
    #[msg("a later decision is in force already")]
    DecisionOvertaken,
    #[msg("a payee is a token account of the currency that the market does not own itself")]
    UnsuitablePayee,
    #[msg("governance has named nobody who gets this charge")]
    NoPayee,
    #[msg("a number left its range")]
    Overflow,
}

/// Fails with `error` unless `condition` holds; for the rules that need no runtime, whose errors tests compare.
#[inline(always)]
pub fn ensure(condition: bool, error: TradingError) -> core::result::Result<(), TradingError> {
    if condition {
        Ok(())
    } else {
        Err(error)
    }
}

/// Result of a rule that needs no runtime.
pub type RuleResult<T> = core::result::Result<T, TradingError>;
