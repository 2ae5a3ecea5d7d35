//! The core of `turnpike token`: a JWT for scripts.

use std::time::Duration;

use uuid::Uuid;

use super::issuer::{Claims, ISSUER_NAME, Issuer, IssuerError};
use crate::{
    domain::{Role, Timestamp},
    secrets::Keyring,
    store::{Store, StoreError},
};

/// Makes a token for a user of an organization (a name or UUID; an unknown name is created).
///
/// # Errors
/// When a value is not acceptable, or the store or the issuer's key cannot be used.
pub async fn token(
    store: &Store,
    keyring: &Keyring,
    org: &str,
    user: &str,
    role: Role,
    groups: &[String],
    ttl: Duration,
) -> Result<String, TokenError> {
    let iat = Timestamp::now().unix_seconds();
    let exp = end(iat, ttl)?;
    if org.trim().is_empty() {
        return Err(TokenError::Organization);
    }
    if user.trim().is_empty() {
        return Err(TokenError::User);
    }
    if groups.iter().any(|group| group.trim().is_empty()) {
        return Err(TokenError::Group);
    }
    let org = store.ensure_org(org).await?;
    let issuer = Issuer::load_or_create(store, keyring).await?;
    let claims = Claims {
        iss: ISSUER_NAME.to_owned(),
        aud: ISSUER_NAME.to_owned(),
        sub: user.to_owned(),
        org_id: org.id,
        org: org.name,
        roles: vec![role.as_str().to_owned()],
        groups: groups.to_vec(),
        email: user.contains('@').then(|| user.to_owned()),
        service_account: None,
        iat,
        exp,
        jti: Uuid::new_v4().to_string(),
    };
    Ok(issuer.sign(&claims)?)
}

fn end(iat: i64, ttl: Duration) -> Result<i64, TokenError> {
    i64::try_from(ttl.as_secs())
        .ok()
        .filter(|seconds| *seconds > 0)
        .and_then(|seconds| iat.checked_add(seconds))
        .ok_or(TokenError::Ttl)
}

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Empty organization.
    #[error("--org must be the name or UUID of an organization")]
    Organization,
    /// Empty user.
    #[error("--user must be a non-empty name, such as an e-mail address")]
    User,
    /// Empty group.
    #[error("--group must be a non-empty name")]
    Group,
    /// Time to live out of range.
    #[error("--ttl must be at least one second, such as 1h")]
    Ttl,
    /// The store cannot be read or written, or does not know the UUID.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The issuer cannot sign.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixture {
        _dir: tempfile::TempDir,
        store: Store,
        keyring: Keyring,
    }

    async fn fixture() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("turnpike.db").display());
        Fixture {
            store: Store::open(&url).await.unwrap(),
            keyring: Keyring::new([1; 32]),
            _dir: dir,
        }
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn a_token_is_accepted_by_every_process_on_the_same_store() {
        let f = fixture().await;
        let groups = ["research".to_owned()];
        let jwt =
            token(&f.store, &f.keyring, "acme", "ann@example.com", Role::Admin, &groups, HOUR)
                .await
                .unwrap();
        let other = Issuer::load_or_create(&f.store, &f.keyring).await.unwrap();
        let claims = other.verify(&jwt, Timestamp::now()).unwrap();
        assert_eq!(claims.role(), Role::Admin);
        assert_eq!(claims.groups, groups);
        assert_eq!(claims.email.as_deref(), Some("ann@example.com"));
        assert_eq!(claims.org_id, f.store.ensure_org("acme").await.unwrap().id);
        assert_eq!(claims.exp - claims.iat, 3600);
    }

    #[tokio::test]
    async fn processes_that_start_together_share_one_signing_key() {
        let f = fixture().await;
        let (one, two) = tokio::join!(
            Issuer::load_or_create(&f.store, &f.keyring),
            Issuer::load_or_create(&f.store, &f.keyring)
        );
        let jwt = token(&f.store, &f.keyring, "a", "b", Role::User, &[], HOUR).await.unwrap();
        assert!(one.unwrap().verify(&jwt, Timestamp::now()).is_ok());
        assert!(two.unwrap().verify(&jwt, Timestamp::now()).is_ok());
    }

    #[tokio::test]
    async fn empty_values_and_endless_times_are_refused() {
        let f = fixture().await;
        let make = |org: &'static str, user: &'static str, ttl| {
            token(&f.store, &f.keyring, org, user, Role::User, &[], ttl)
        };
        assert!(matches!(make(" ", "u", HOUR).await, Err(TokenError::Organization)));
        assert!(matches!(make("o", "", HOUR).await, Err(TokenError::User)));
        assert!(matches!(make("o", "u", Duration::ZERO).await, Err(TokenError::Ttl)));
        assert!(matches!(make("o", "u", Duration::MAX).await, Err(TokenError::Ttl)));
        assert!(f.store.orgs().await.unwrap().is_empty(), "a refused call creates nothing");
    }
}
