//! Anchor as the programs see it: all of anchor-lang, with account creation that every cluster understands.
//!
//! Where an account that is to be created holds lamports already (anyone can send some to an address that is still
//! free), Anchor 1.2 calls a system instruction that most clusters do not know yet, and the creation fails: a stranger
//! with a few lamports could keep an interval from ever being attested. A program with
//! `extern crate framework as anchor_lang;` has its `init` constraints call ours instead, three instructions that all
//! clusters know.

pub use ::anchor_lang::*;

mod rent;
pub mod system_program;

pub mod prelude {
    //! Anchor's prelude, which names the framework as well.
    pub use crate as anchor_lang;
    pub use crate::rent::Rent;
    pub use ::anchor_lang::prelude::*;
}
