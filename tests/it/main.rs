//! The behaviour of the gateway as its users see it: the binary, over sockets.
//!
//! One crate, so that it links once; one file per behaviour; `support` is the language.

mod support;
mod the_tools_themselves;
