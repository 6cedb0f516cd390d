//! One instruction per file: arguments, accounts, `validate`, handler.

mod abort;
mod adopt_payees;
mod adopt_settler;
mod close;
mod close_aborted;
mod close_empty;
mod collect_charges;
mod deposit;
mod initialize;
mod open;
mod open_account;
mod return_lines;
mod set_mandate;
mod settle;
mod verify_line;
mod withdraw;

pub use abort::*;
pub use adopt_payees::*;
pub use adopt_settler::*;
pub use close::*;
pub use close_aborted::*;
pub use close_empty::*;
pub use collect_charges::*;
pub use deposit::*;
pub use initialize::*;
pub use open::*;
pub use open_account::*;
pub use return_lines::*;
pub use set_mandate::*;
pub use settle::*;
pub use verify_line::*;
pub use withdraw::*;
