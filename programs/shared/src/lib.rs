//! What the five programs have in common.
