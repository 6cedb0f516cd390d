//! One instruction per file: arguments, accounts, `validate`, handler.

mod burn_interval;
mod cancel_certificate;
mod initialize;
mod issue_certificate;
mod mint_interval;
mod slice_certificate;
mod transfer_certificate;

pub use burn_interval::*;
pub use cancel_certificate::*;
pub use initialize::*;
pub use issue_certificate::*;
pub use mint_interval::*;
pub use slice_certificate::*;
pub use transfer_certificate::*;
