//! Accounts of the program, one per file.

mod config;
mod gateway;
mod gateway_key;
mod id;
mod meter;
mod participant;
mod status;
mod zone;

pub use config::Config;
pub use gateway::{is_gateway_id, Gateway};
pub use gateway_key::{GatewayKey, MAX_BACKDATE_S, MAX_LEAD_S};
pub use id::{id_seed, MAX_ID_BYTES};
pub use meter::{is_meter_id, kind, Meter, MAX_SWAP_BACKDATE_S};
pub use participant::Participant;
pub use status::{require_status_change, ACTIVE, RETIRED, SUSPENDED};
pub use zone::CAMPUS_ZONE;
