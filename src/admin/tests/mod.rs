//! The API as its clients see it, through the router.

mod access;
mod api_keys;
mod audit;
mod bodies;
mod clouds;
mod coverage;
mod credentials;
mod desk;
mod health;
mod lists;
mod openapi;
mod providers;
mod routes;
mod usage;
