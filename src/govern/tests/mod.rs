//! The governor in this process and over a real Redis.

mod away;
mod database;
mod held;
mod here;
mod links;
pub(crate) mod redis_server;
pub(super) mod scene;
mod shared;
mod simulation;
mod telling;
mod twins;
mod windows;
