//! Services of clouds that the gateway itself calls: credentials of AWS and Google, keys of Vault.
//! Models are not called from here.

mod vault;

pub use vault::Vault;
