//! One instruction per file: arguments, accounts, `validate`, handler.

mod add_gateway_key;
mod initialize;
mod register_gateway;
mod register_meter;
mod register_participant;

pub use add_gateway_key::*;
pub use initialize::*;
pub use register_gateway::*;
pub use register_meter::*;
pub use register_participant::*;
