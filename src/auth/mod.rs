//! Who is calling: `bd-` keys on the runtime, JWTs on the admin and user API, the console's session on
//! both.
//!
//! The two never stand in for each other. A key is refused by its shape before anything is looked
//! up, then found by its keyed hash in a bounded cache, then in the store. A token is verified
//! against the keys of its issuer, which is this installation itself or one of `auth.issuers`,
//! whatever its header says; then it counts for as much as its issuer may say.

mod api_key;
mod caller;
mod claims;
mod code_flow;
mod cookie;
mod head;
mod identity_provider;
mod issuer;
mod issuer_keys;
mod jwks;
mod jwt;
mod key_cache;
mod keys;
mod links;
mod presented;
mod refusal;
mod rotate;
mod service_accounts;
mod sessions;
mod sign_in;
mod token;
mod unlock;

pub use api_key::{MintedKey, is_well_formed};
pub use caller::{Authenticator, Caller, CallerRefusal, ORG_HEADER};
pub use claims::ClaimPaths;
pub use code_flow::{ClientRules, FlowRefusal};
pub use head::{Head, Site};
pub use identity_provider::{IdentityProviders, ProviderRules};
pub use issuer::{Claims, ISSUER_NAME, Issuer, IssuerError};
pub use keys::{ApiKeys, KeyRefusal, Principal, Who};
pub use links::{Invited, LINK_LIVES, SignInError, invite, sign_in_link};
pub use refusal::TokenRefusal;
pub use rotate::{Rotation, add, finish, rotate};
pub use service_accounts::{
    AccessToken, GrantRefusal, MintedSecret, NewAccount, ServiceAccountError, TokenDesk, account,
    client_id, create_service_account,
};
pub use sessions::{CSRF_HEADER, Forged, Sessions, expire_sessions};
pub use sign_in::{Answered, Begun, Ended};
pub use token::{TokenError, token};
pub use unlock::{KeySource, UnlockError, unlock};
