//! Organizations set up over HTTP: credentials, providers, routes, keys, and who may do it.

mod api_keys;
mod at_once;
mod clouds;
mod credentials;
mod health;
mod providers;
mod restart;
mod roles;
mod routes;
mod secrets;
mod tenants;
