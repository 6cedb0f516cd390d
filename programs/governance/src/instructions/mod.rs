//! One instruction per file: arguments, accounts, `validate`, handler.

mod accept_authority;
mod approve;
mod cast_vote;
mod change_upgrade_authority;
mod execute;
mod initialize;
mod propose;
mod put_to_vote;
mod revoke;
mod upgrade;

pub use accept_authority::*;
pub use approve::*;
pub use cast_vote::*;
pub use change_upgrade_authority::*;
pub use execute::*;
pub use initialize::*;
pub use propose::*;
pub use put_to_vote::*;
pub use revoke::*;
pub use upgrade::*;
