//! One instruction per file: arguments, accounts, `validate`, handler.

mod close;
mod close_empty;
mod deposit;
mod initialize;
mod open;
mod open_account;
mod set_mandate;
mod settle;
mod withdraw;

pub use close::*;
pub use close_empty::*;
pub use deposit::*;
pub use initialize::*;
pub use open::*;
pub use open_account::*;
pub use set_mandate::*;
pub use settle::*;
pub use withdraw::*;
