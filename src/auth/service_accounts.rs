//! Service accounts: a secret for a token (OAuth 2.0, client credentials, RFC 6749, 4.4).
//!
//! A token names its account, which is looked up with every request: an account that was deleted
//! takes its tokens with it, on every replica at once.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    api_key,
    issuer::{Claims, ISSUER_NAME, Issuer, IssuerError},
};
use crate::{
    domain::{OrgId, Role, ServiceAccountId, Timestamp},
    secrets::{Keyring, SealError, Secret},
    store::{ChangeRow, ServiceAccountRow, Store, StoreError},
};

/// What a client id begins with, before the account's UUID.
const CLIENT_PREFIX: &str = "sa-";
/// What a secret begins with, for the scanners that look for such things.
const SECRET_PREFIX: &str = "tps-";
/// Random characters of a secret: of 62, these are 256 bits.
const SECRET_LEN: usize = 43;
/// How long a token lives. An account's end does not wait for it.
const TOKEN_TTL: Duration = Duration::from_secs(3600);
/// Who makes accounts without being anybody of the organization.
const OPERATOR: &str = "turnpike service-account";

/// A secret that was just made. The only moment at which its text exists here.
pub struct MintedSecret {
    /// The secret itself, shown once.
    pub plain: Secret,
    /// What is stored in its place.
    pub hash: [u8; 32],
}

impl MintedSecret {
    /// Makes a new secret.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn new(keyring: &Keyring) -> Result<Self, SealError> {
        let mut text = Zeroizing::new(String::with_capacity(SECRET_PREFIX.len() + SECRET_LEN));
        text.push_str(SECRET_PREFIX);
        api_key::push_random(&mut text, SECRET_LEN)?;
        Ok(Self { hash: keyring.key_hash(&text), plain: Secret::new(text.to_string()) })
    }
}

/// By which name an account asks for tokens.
#[must_use]
pub fn client_id(id: ServiceAccountId) -> String {
    format!("{CLIENT_PREFIX}{id}")
}

/// The account of a client id, if it has the form of one.
fn account_id(client_id: &str) -> Option<ServiceAccountId> {
    client_id.strip_prefix(CLIENT_PREFIX)?.parse::<Uuid>().ok().map(ServiceAccountId)
}

/// What the token endpoint answers with.
pub struct AccessToken {
    /// The JWT.
    pub token: String,
    /// How long it lives.
    pub lives: Duration,
}

/// Gives tokens to accounts that know their secret.
pub struct TokenDesk {
    store: Store,
    keyring: Arc<Keyring>,
    issuer: Arc<Issuer>,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum GrantRefusal {
    /// No such account, or another secret. The two are told alike.
    #[error("the client id is not known or the secret is not its own")]
    Client,
    /// The store cannot be asked now.
    #[error("service accounts cannot be looked up at the moment")]
    Store(#[from] StoreError),
    /// The issuer cannot sign.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
}

impl TokenDesk {
    /// Signs with the issuer's key.
    #[must_use]
    pub const fn new(store: Store, keyring: Arc<Keyring>, issuer: Arc<Issuer>) -> Self {
        Self { store, keyring, issuer }
    }

    /// A token for the account, if the secret is its own.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn grant(
        &self,
        client_id: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<AccessToken, GrantRefusal> {
        let given = self.keyring.key_hash(secret);
        let account = match account_id(client_id) {
            Some(id) => self.store.service_account_by_id(id).await?,
            None => None,
        };
        let stored = account.as_ref().map_or(&[0; 32][..], |account| &account.secret_hash);
        let same = Keyring::same_hash(stored, &given);
        let account = account.filter(|_| same).ok_or(GrantRefusal::Client)?;
        let token = self.issuer.sign(&self.claims(&account, now).await?)?;
        self.store.service_account_used(account.org_id, account.id, now).await?;
        Ok(AccessToken { token, lives: TOKEN_TTL })
    }

    async fn claims(
        &self,
        account: &ServiceAccountRow,
        now: Timestamp,
    ) -> Result<Claims, StoreError> {
        let org = self.store.org(account.org_id).await?;
        let iat = now.unix_seconds();
        Ok(Claims {
            iss: ISSUER_NAME.to_owned(),
            aud: ISSUER_NAME.to_owned(),
            sub: format!("service-account:{}", account.id),
            org_id: account.org_id,
            org: org.ok_or(StoreError::NotFound("organization"))?.name,
            roles: vec![account.role.as_str().to_owned()],
            groups: Vec::new(),
            email: None,
            service_account: Some(account.id),
            iat,
            exp: iat.saturating_add(i64::try_from(TOKEN_TTL.as_secs()).unwrap_or(i64::MAX)),
            jti: Uuid::new_v4().to_string(),
        })
    }
}

/// A new account as the command line shows it.
pub struct NewAccount {
    /// For the token endpoint.
    pub client_id: String,
    /// Shown once.
    pub client_secret: Secret,
}

/// Makes an account of an organization (a name or UUID; an unknown name is created): the core of
/// `turnpike service-account create`.
///
/// # Errors
/// When the name is taken, or the store cannot be used.
pub async fn create_service_account(
    store: &Store,
    keyring: &Keyring,
    org: &str,
    name: &str,
    role: Role,
) -> Result<NewAccount, ServiceAccountError> {
    let org = store.ensure_org(org).await?.id;
    let minted = MintedSecret::new(keyring)?;
    let row = account(org, name, role, &minted);
    let mut tx = store.write().await?;
    tx.insert_service_account(&row).await.map_err(|error| match error {
        StoreError::Conflict => ServiceAccountError::Taken(name.to_owned()),
        other => other.into(),
    })?;
    tx.record(&change(&row)).await?;
    tx.commit().await?;
    Ok(NewAccount { client_id: client_id(row.id), client_secret: minted.plain })
}

/// The row of a new account.
#[must_use]
pub fn account(org: OrgId, name: &str, role: Role, minted: &MintedSecret) -> ServiceAccountRow {
    ServiceAccountRow {
        id: ServiceAccountId::random(),
        org_id: org,
        name: name.to_owned(),
        role,
        secret_hash: minted.hash.to_vec(),
        created_at: Timestamp::now(),
        last_used_at: None,
    }
}

fn change(row: &ServiceAccountRow) -> ChangeRow {
    ChangeRow {
        org: row.org_id,
        actor: None,
        actor_name: OPERATOR.to_owned(),
        action: "service_account.create".to_owned(),
        resource: "service account".to_owned(),
        resource_id: Some(row.id.0),
        before: None,
        after: Some(serde_json::json!({
            "id": row.id, "name": row.name, "role": row.role, "client_id": client_id(row.id),
            "created_at": row.created_at, "last_used_at": null,
        })),
        request_id: String::new(),
        at: row.created_at,
    }
}

/// Why no account was made.
#[derive(Debug, thiserror::Error)]
pub enum ServiceAccountError {
    /// There is one of that name.
    #[error("the organization has a service account '{0}' already; choose another --name")]
    Taken(String),
    /// The store cannot be read or written, or does not know the organization's UUID.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no random numbers.
    #[error(transparent)]
    Random(#[from] SealError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing;

    struct Fixture {
        _dir: tempfile::TempDir,
        store: Store,
        keyring: Arc<Keyring>,
        desk: TokenDesk,
        issuer: Arc<Issuer>,
    }

    async fn fixture() -> Fixture {
        let (dir, store) = testing::temp_store().await;
        let keyring = Arc::new(Keyring::new([5; 32]));
        let issuer = Arc::new(Issuer::load_or_create(&store, &keyring).await.unwrap());
        let desk = TokenDesk::new(store.clone(), Arc::clone(&keyring), Arc::clone(&issuer));
        Fixture { _dir: dir, store, keyring, desk, issuer }
    }

    impl Fixture {
        async fn account(&self, name: &str) -> NewAccount {
            create_service_account(&self.store, &self.keyring, "acme", name, Role::Admin)
                .await
                .unwrap()
        }
    }

    #[tokio::test]
    async fn an_account_gets_a_token_of_its_organization_and_role() {
        let f = fixture().await;
        let account = f.account("ci").await;
        let now = Timestamp::now();
        let secret = account.client_secret.expose();
        assert!(secret.starts_with("tps-") && secret.len() == 47);
        let granted = f.desk.grant(&account.client_id, secret, now).await.unwrap();
        let claims = f.issuer.verify(&granted.token, now).unwrap();
        assert_eq!(claims.role(), Role::Admin);
        assert_eq!(claims.org_id, f.store.ensure_org("acme").await.unwrap().id);
        assert_eq!(claims.exp - claims.iat, 3600);
        let id = account_id(&account.client_id).unwrap();
        assert_eq!(claims.service_account, Some(id));
        let row = f.store.service_account_by_id(id).await.unwrap().unwrap();
        assert_eq!(row.last_used_at, Some(now));
        assert_ne!(row.secret_hash, secret.as_bytes());
    }

    #[tokio::test]
    async fn another_secret_or_client_gets_nothing_and_is_told_the_same() {
        let f = fixture().await;
        let (one, other) = (f.account("one").await, f.account("other").await);
        let unknown = client_id(ServiceAccountId::random());
        let bare = one.client_id.trim_start_matches("sa-").to_owned();
        let (secret, foreign) = (one.client_secret.expose(), other.client_secret.expose());
        for (client, secret) in [
            (one.client_id.as_str(), foreign),
            (&one.client_id, ""),
            (&one.client_id, &secret[..46]),
            (&one.client_id, &format!("{secret} ")),
            (&unknown, secret),
            (&bare, secret),
            ("", secret),
            ("sa-' OR 1=1 --", secret),
        ] {
            let refusal = f.desk.grant(client, secret, Timestamp::now()).await.err().unwrap();
            assert!(matches!(refusal, GrantRefusal::Client), "{client}");
        }
    }

    #[tokio::test]
    async fn a_name_is_taken_once_in_an_organization() {
        let f = fixture().await;
        f.account("ci").await;
        let create = |org| create_service_account(&f.store, &f.keyring, org, "ci", Role::User);
        let refusal = create("acme").await.err().unwrap();
        assert!(refusal.to_string().contains("--name"), "{refusal}");
        assert!(create("globex").await.is_ok());
    }
}
