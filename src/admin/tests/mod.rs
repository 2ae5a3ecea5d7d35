//! The API as its clients see it, through the router.

mod access;
mod api_keys;
mod bodies;
mod coverage;
mod credentials;
mod desk;
mod openapi;
mod providers;
mod routes;
mod usage;
