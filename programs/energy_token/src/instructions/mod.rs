//! One instruction per file: arguments, accounts, `validate`, handler.

mod burn_interval;
mod cancel_certificate;
mod initialize;
mod issue_certificate;
mod mint_interval;
mod open_producer;
mod slice_certificate;
mod take_back_export;
mod transfer_certificate;

pub use burn_interval::*;
pub use cancel_certificate::*;
pub use initialize::*;
pub use issue_certificate::*;
pub use mint_interval::*;
pub use open_producer::*;
pub use slice_certificate::*;
pub use take_back_export::*;
pub use transfer_certificate::*;
