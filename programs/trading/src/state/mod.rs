//! Accounts of the program and the rules they keep, one noun a file.

mod account;
mod credits;
mod days;
mod line;
mod mandate;
mod mandates;
mod market;
mod rates;
mod seen;
mod settlement;

pub use account::Account;
pub use credits::{free_place, take_place, Credit, Crediting, Credits, PLACES};
pub use days::{DayDebit, DAYS};
pub use line::Line;
pub use mandate::{Mandate, MandateArgs, MAX_HORIZON_S, MAX_TERM_S, RELEASE_S};
pub use mandates::{Mandates, MANDATES};
pub use market::{Market, CURRENCY_DECIMALS, CURRENCY_MINT_SIZE, MAX_ACCOUNTS};
pub use rates::{Charges, Rates};
pub use seen::Seen;
pub use settlement::{status, Commitment, IntervalSettlement, ABORT_AFTER_S, OPEN_WINDOW_S};
