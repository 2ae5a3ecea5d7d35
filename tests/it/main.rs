//! The behaviour of the gateway as its users see it: the binary, over sockets.
//!
//! One crate, so that it links once; one folder per subject and one file per behaviour;
//! `support` is the language. The vendor's own log says what reached it.

mod api;
mod config;
mod console;
mod deploy;
mod figures;
mod governance;
mod identity;
mod ledger;
mod passthrough;
mod policies;
mod pricing;
mod provisioning;
mod quickstart;
mod readme;
mod refusals;
mod replicas;
mod route_health;
mod routing;
mod sdk;
mod serving;
mod smart_models;
mod streams;
mod support;
mod terraform;
mod the_tools_themselves;
mod translation;
mod vectors;
mod vendors;
