//! Links that sign someone in once: the newcomer's way into the console, before there is an identity
//! provider.

use std::time::Duration;

use super::{ISSUER_NAME, sessions};
use crate::{
    domain::{OrgId, Role, Timestamp, UserId},
    secrets::{Keyring, SealError, Secret},
    store::{LinkRow, SeenUser, Store, StoreError},
};

/// How long a link can be used.
pub const LINK_LIVES: Duration = Duration::from_secs(15 * 60);
/// What its token is hashed for.
const STORED: &str = "link";

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no random numbers.
    #[error(transparent)]
    Random(#[from] SealError),
}

/// Whom a link is to sign in.
#[derive(Clone, Copy, Debug)]
pub struct Invited<'a> {
    /// Organization, by name or UUID; an unknown name is created.
    pub org: &'a str,
    /// The user's name at the gateway's own issuer, as in its tokens.
    pub user: &'a str,
    /// What they may do.
    pub role: Role,
    /// Their groups.
    pub groups: &'a [String],
}

/// Makes a link for someone; answers its path, which holds the secret.
///
/// # Errors
/// When the store cannot be used.
pub async fn invite(
    store: &Store,
    keyring: &Keyring,
    invited: &Invited<'_>,
) -> Result<Secret, SignInError> {
    let org = store.ensure_org(invited.org).await?;
    let now = Timestamp::now();
    let seen = SeenUser {
        org: org.id,
        issuer: ISSUER_NAME,
        subject: invited.user,
        email: invited.user.contains('@').then_some(invited.user),
        roles: &[invited.role.as_str().to_owned()],
        groups: invited.groups,
        at: now,
    };
    let user = store.ensure_user(&seen).await?.user;
    sign_in_link(store, keyring, (org.id, user.id), invited.role, now).await
}

/// Makes a link for a user who exists; answers its path, which holds the secret.
///
/// # Errors
/// As [`invite`].
pub async fn sign_in_link(
    store: &Store,
    keyring: &Keyring,
    (org, user): (OrgId, UserId),
    role: Role,
    now: Timestamp,
) -> Result<Secret, SignInError> {
    let token = sessions::random()?;
    let link = LinkRow { org, user, role, ends_at: now.after(LINK_LIVES) };
    store.insert_link(&keyring.session_hash(STORED, token.expose()), &link).await?;
    Ok(Secret::new(format!("/auth/link?token={}", token.expose())))
}

/// Takes a link: it is good once.
///
/// # Errors
/// When the store cannot be used.
pub(super) async fn take(
    store: &Store,
    keyring: &Keyring,
    token: &str,
    now: Timestamp,
) -> Result<Option<LinkRow>, StoreError> {
    store.take_link(&keyring.session_hash(STORED, token), now).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{on_both, postgres_store, temp_store};

    on_both! {
        a_link_is_good_once_and_for_a_quarter_of_an_hour,
    }

    async fn a_link_is_good_once_and_for_a_quarter_of_an_hour(store: Store) {
        let ring = Keyring::new([1; 32]);
        let groups = ["research".to_owned()];
        let invited = Invited { org: "acme", user: "ann@x", role: Role::Admin, groups: &groups };
        let token = async || {
            let path = invite(&store, &ring, &invited).await.unwrap();
            path.expose().strip_prefix("/auth/link?token=").unwrap().to_owned()
        };
        let (one, late) = (token().await, token().await);
        let now = Timestamp::now();
        let found = take(&store, &ring, &one, now).await.unwrap().unwrap();
        assert_eq!(found.role, Role::Admin);
        let user = store.read().await.unwrap().user(found.org, found.user).await.unwrap().unwrap();
        assert_eq!((user.email.as_deref(), &user.groups[..]), (Some("ann@x"), &groups[..]));
        assert_eq!(take(&store, &ring, &one, now).await.unwrap(), None);
        assert_eq!(take(&store, &ring, "another", now).await.unwrap(), None);
        assert_eq!(take(&store, &ring, &late, now.after(LINK_LIVES)).await.unwrap(), None);
    }
}
