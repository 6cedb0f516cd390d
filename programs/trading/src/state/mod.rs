//! Accounts of the program and their rules, one type per file.

mod account;
mod account_bits;
mod credits;
mod days;
mod line;
mod mandate;
mod mandates;
mod market;
mod rates;
mod settlement;

pub use account::Account;
pub use account_bits::AccountBits;
pub use credits::{acquire_entry, release_entry, Credit, CreditingStarts, Credits, CREDIT_ENTRIES};
pub use days::{DayDebit, DAYS_KEPT};
pub use line::Line;
pub use mandate::{Mandate, MandateArgs, MAX_HORIZON_S, MAX_TERM_S, RELEASE_S};
pub use mandates::{Mandates, MAX_MANDATES};
pub use market::{Market, CURRENCY_DECIMALS, CURRENCY_MINT_BYTES, MAX_ACCOUNTS};
pub use rates::{Charges, Rates};
pub use settlement::{status, Commitment, IntervalSettlement, ABORT_AFTER_S, OPEN_WINDOW_S};
