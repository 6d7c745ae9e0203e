//! Tests of the command as a user meets it: arguments go in, and everything
//! that comes out is compared in full.

mod common;

mod seed;
