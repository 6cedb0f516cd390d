//! One instruction per file: arguments, accounts, `validate`, handler.

mod add_gateway_key;
mod adopt_registrar;
mod end_gateway_key;
mod initialize;
mod reassign_meter;
mod register_gateway;
mod register_meter;
mod register_participant;
mod set_gateway_status;
mod set_meter_status;
mod set_participant_status;
mod swap_meter;
mod transfer_meter;

pub use add_gateway_key::*;
pub use adopt_registrar::*;
pub use end_gateway_key::*;
pub use initialize::*;
pub use reassign_meter::*;
pub use register_gateway::*;
pub use register_meter::*;
pub use register_participant::*;
pub use set_gateway_status::*;
pub use set_meter_status::*;
pub use set_participant_status::*;
pub use swap_meter::*;
pub use transfer_meter::*;
