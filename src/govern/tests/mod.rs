//! The governor in this process and over a real Redis.

mod database;
mod here;
pub(crate) mod redis_server;
mod scene;
mod shared;
mod simulation;
mod twins;
mod windows;
