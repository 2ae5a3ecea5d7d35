//! Who calls: tokens of identity providers, service accounts, and the directory of users.

mod claims;
mod directory;
mod forgeries;
mod keys;
mod organizations;
mod outages;
mod scene;
mod service_accounts;
mod terraform;

pub use scene::IdScene;
