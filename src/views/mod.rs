//! The subcommands that show something: each is a question of its own to one
//! scan, and a few columns of its own.

pub(crate) mod holders;
