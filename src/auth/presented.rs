//! What a verified token says, whoever issued it, and how far its issuer's word reaches.

use std::sync::Arc;

use super::{claims::OrgClaim, issuer::Claims};
use crate::{
    domain::{OrgId, Role, ServiceAccountId},
    store::{OrgRow, Store, StoreError, UserRow},
};

/// Any organization, in a list of them.
const ANY: &str = "*";

/// What a verified token says.
pub(super) struct Presented {
    /// Who issued it, as the directory names them.
    pub(super) issuer: String,
    /// The issuer's name for the user.
    pub(super) subject: String,
    pub(super) email: Option<String>,
    /// The organizations that it names.
    pub(super) orgs: Vec<OrgClaim>,
    pub(super) reach: Reach,
    /// None above what the issuer may give; unknown ones too.
    pub(super) roles: Vec<String>,
    pub(super) groups: Vec<String>,
    /// The account that must still be there.
    pub(super) service_account: Option<ServiceAccountId>,
}

/// Which organizations an issuer may speak for.
pub(super) enum Reach {
    /// All that there are: the gateway itself.
    All,
    /// These names and UUIDs, or any with `*`. What it may speak for need not exist yet.
    Listed(Arc<[String]>),
}

impl From<Claims> for Presented {
    fn from(claims: Claims) -> Self {
        Self {
            orgs: vec![OrgClaim { id: Some(claims.org_id), name: None }],
            reach: Reach::All,
            issuer: claims.iss,
            subject: claims.sub,
            email: claims.email,
            roles: claims.roles,
            groups: claims.groups,
            service_account: claims.service_account,
        }
    }
}

impl Presented {
    /// What a token said about someone who was signed in with it.
    pub(super) fn again(user: &UserRow, reach: Reach) -> Self {
        Self {
            orgs: vec![OrgClaim { id: Some(user.org_id), name: None }],
            reach,
            issuer: user.issuer.clone(),
            subject: user.subject.clone(),
            email: user.email.clone(),
            roles: user.roles.clone(),
            groups: user.groups.clone(),
            service_account: None,
        }
    }

    /// The strongest role that the token names; `user` where it names none that exists.
    pub(super) fn role(&self) -> Role {
        self.roles.iter().filter_map(|name| name.parse().ok()).max().unwrap_or(Role::User)
    }

    /// The organizations that the token names and may name, each once. One that does not exist is
    /// made where its issuer may speak for it.
    pub(super) async fn homes(&self, store: &Store) -> Result<Vec<OrgId>, StoreError> {
        let mut homes = Vec::new();
        for claim in &self.orgs {
            let found = match self.find(store, claim).await? {
                None if self.reach.may_make(claim) => {
                    make(store, claim).await?;
                    self.find(store, claim).await?
                }
                found => found,
            };
            if let Some(org) = found.filter(|org| self.reach.covers(org))
                && !homes.contains(&org.id)
            {
                homes.push(org.id);
            }
        }
        Ok(homes)
    }

    /// By its id, else by its name.
    async fn find(&self, store: &Store, claim: &OrgClaim) -> Result<Option<OrgRow>, StoreError> {
        if let Some(id) = claim.id
            && let Some(org) = store.org(id).await?
        {
            return Ok(Some(org));
        }
        match &claim.name {
            Some(name) => store.org_by_name(name).await,
            None => Ok(None),
        }
    }
}

/// Under the id and name that the token gives; a UUID is the name of what has no other.
async fn make(store: &Store, claim: &OrgClaim) -> Result<(), StoreError> {
    let id = claim.id.unwrap_or_else(OrgId::random);
    let name = claim.name.clone().unwrap_or_else(|| id.to_string());
    tracing::info!(org = %id, name, "an organization is made for the first token that names it");
    store.make_org(id, &name).await
}

impl Reach {
    /// Whether the issuer may speak for an organization that exists.
    pub(super) fn covers(&self, org: &OrgRow) -> bool {
        match self {
            Self::All => true,
            Self::Listed(listed) => {
                listed.iter().any(|entry| entry == ANY || *entry == org.name || is(entry, org.id))
            }
        }
    }

    fn may_make(&self, claim: &OrgClaim) -> bool {
        let Self::Listed(listed) = self else { return false };
        listed.iter().any(|entry| {
            entry == ANY
                || claim.name.as_ref() == Some(entry)
                || claim.id.is_some_and(|id| is(entry, id))
        })
    }
}

fn is(entry: &str, id: OrgId) -> bool {
    entry.parse() == Ok(id.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing;

    fn presented(listed: &[&str], orgs: &[(Option<OrgId>, Option<&str>)]) -> Presented {
        let claim = |(id, name): &(Option<OrgId>, Option<&str>)| OrgClaim {
            id: *id,
            name: name.map(str::to_owned),
        };
        Presented {
            issuer: "https://id.example".into(),
            subject: "ann".into(),
            email: None,
            orgs: orgs.iter().map(claim).collect(),
            reach: Reach::Listed(listed.iter().map(|name| (*name).to_owned()).collect()),
            roles: vec!["admin".into(), "owner".into()],
            groups: Vec::new(),
            service_account: None,
        }
    }

    #[test]
    fn the_strongest_role_that_exists_counts() {
        let mut token = presented(&["*"], &[]);
        assert_eq!(token.role(), Role::Admin);
        token.roles = vec!["owner".into(), "Admin".into()];
        assert_eq!(token.role(), Role::User);
    }

    #[tokio::test]
    async fn an_organization_is_found_by_name_or_id() {
        let (_dir, store) = testing::temp_store().await;
        let acme = store.ensure_org("acme").await.unwrap().id;
        let listed = acme.to_string();
        for list in [["acme"], ["*"], [listed.as_str()]] {
            for claim in
                [(None, Some("acme")), (Some(acme), None), (Some(OrgId::random()), Some("acme"))]
            {
                let homes = presented(&list, &[claim]).homes(&store).await.unwrap();
                assert_eq!(homes, [acme], "{list:?} {claim:?}");
            }
        }
        assert_eq!(store.orgs().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn an_issuer_speaks_only_for_its_organizations() {
        let (_dir, store) = testing::temp_store().await;
        let other = store.ensure_org("other").await.unwrap().id;
        for claim in [
            (None, Some("other")),
            (Some(other), None),
            (Some(other), Some("acme")),
            (None, Some("Acme")),
            (None, Some("new")),
        ] {
            let homes = presented(&["acme"], &[claim]).homes(&store).await.unwrap();
            assert!(homes.is_empty(), "{claim:?}");
        }
        assert_eq!(store.orgs().await.unwrap().len(), 1, "and none is made");
    }

    #[tokio::test]
    async fn a_new_organization_has_the_id_and_name_of_the_token() {
        let (_dir, store) = testing::temp_store().await;
        let (one, two) = (OrgId::random(), OrgId::random());
        let list = ["acme", &two.to_string()];
        assert_eq!(
            presented(&list, &[(Some(one), Some("acme"))]).homes(&store).await.unwrap(),
            [one]
        );
        assert_eq!(presented(&list, &[(Some(two), None)]).homes(&store).await.unwrap(), [two]);
        assert_eq!(store.org_by_name("acme").await.unwrap().unwrap().id, one);
        assert_eq!(store.org(two).await.unwrap().unwrap().name, two.to_string());
        let any = presented(&["*"], &[(None, Some("third"))]).homes(&store).await.unwrap();
        assert_eq!(store.org(any[0]).await.unwrap().unwrap().name, "third");
        assert_eq!(presented(&["*"], &[(None, Some("third"))]).homes(&store).await.unwrap(), any);
    }

    #[tokio::test]
    async fn of_several_organizations_those_that_may_be_named_count() {
        let (_dir, store) = testing::temp_store().await;
        let (a, b) =
            (store.ensure_org("a").await.unwrap().id, store.ensure_org("b").await.unwrap().id);
        store.ensure_org("c").await.unwrap();
        let claims = [(None, Some("a")), (None, Some("c")), (None, Some("b")), (Some(a), None)];
        assert_eq!(presented(&["a", "b"], &claims).homes(&store).await.unwrap(), [a, b]);
    }
}
