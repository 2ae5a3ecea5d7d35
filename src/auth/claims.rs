//! What identity providers put into tokens, and where: organization, roles, groups, e-mail.
//!
//! Where nothing is configured the places are those of Keycloak
//! (<https://www.keycloak.org/docs/latest/server_admin/#_managing_organizations>) and of the claims
//! that the public clients look for (spec/behaviour.md 2.2).

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::OrgId;

/// Of these, the first that is there.
const ORG_CLAIMS: [&str; 9] = [
    "organization_id",
    "org_id",
    "organization",
    "user.organization_name",
    "user.organization_slug",
    "organization_name",
    "https://barndoor.ai/organization_slug",
    "organization_slug",
    "org_slug",
];
/// All of these together.
const ROLE_CLAIMS: [&str; 2] = ["realm_access.roles", "roles"];
const GROUPS_CLAIM: &str = "groups";
const EMAIL_CLAIM: &str = "email";
/// Longest name of an organization, characters.
const MAX_ORG_NAME: usize = 255;
/// RFC 5321, 4.5.3.1.3.
const MAX_EMAIL: usize = 254;

/// Dotted paths of claims; none: the usual places.
#[derive(Clone, Debug, Default)]
pub struct ClaimPaths {
    /// Of the organization.
    pub org: Option<String>,
    /// Of the roles.
    pub roles: Option<String>,
    /// Of the groups.
    pub groups: Option<String>,
    /// Of the e-mail address.
    pub email: Option<String>,
}

/// An organization as a token names it: by its id, by its name, or by both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OrgClaim {
    pub(super) id: Option<OrgId>,
    pub(super) name: Option<String>,
}

impl ClaimPaths {
    /// The organizations that the token names, usually one.
    pub(super) fn organizations(&self, claims: &Map<String, Value>) -> Vec<OrgClaim> {
        let found = match &self.org {
            Some(path) => find(claims, path),
            None => ORG_CLAIMS.iter().find_map(|path| find(claims, path).filter(|v| !v.is_null())),
        };
        found.map(organizations).unwrap_or_default()
    }

    pub(super) fn roles(&self, claims: &Map<String, Value>) -> Vec<String> {
        match &self.roles {
            Some(path) => names(find(claims, path)),
            None => unique(ROLE_CLAIMS.iter().flat_map(|path| names(find(claims, path)))),
        }
    }

    /// Groups by name. Keycloak can write a group as its path: of `/a/b` the first slash is dropped,
    /// so that a group without parents has one name whichever way it is written.
    pub(super) fn groups(&self, claims: &Map<String, Value>) -> Vec<String> {
        let found = find(claims, self.groups.as_deref().unwrap_or(GROUPS_CLAIM));
        let name = |group: String| group.strip_prefix('/').map(str::to_owned).unwrap_or(group);
        unique(names(found).into_iter().map(name).filter(|name| !name.is_empty()))
    }

    pub(super) fn email(&self, claims: &Map<String, Value>) -> Option<String> {
        let text = find(claims, self.email.as_deref().unwrap_or(EMAIL_CLAIM))?.as_str()?.trim();
        is_name(text, MAX_EMAIL).then(|| text.to_owned())
    }
}

/// The value at a path. Names of claims may have dots in them (`https://example.com/org`), so each
/// dot may part two names or belong to one; the longest name wins.
fn find<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    path.rmatch_indices('.').find_map(|(at, _)| {
        let (name, rest) = (path.get(..at)?, path.get(at + 1..)?);
        find(claims.get(name)?.as_object()?, rest)
    })
}

/// `"acme"`, `["acme"]`, or Keycloak's `{"acme": {"id": "<uuid>"}}`.
fn organizations(value: &Value) -> Vec<OrgClaim> {
    let named = |text: &String| organization(text, None);
    match value {
        Value::String(text) => named(text).into_iter().collect(),
        Value::Array(items) => items
            .iter()
            .filter_map(|item| match item {
                Value::String(text) => named(text),
                _ => None,
            })
            .collect(),
        Value::Object(by_name) => by_name
            .iter()
            .filter_map(|(name, about)| {
                let id = about.get("id").and_then(Value::as_str);
                organization(name, id.and_then(|id| Uuid::parse_str(id).ok()))
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn organization(text: &str, id: Option<Uuid>) -> Option<OrgClaim> {
    let text = text.trim();
    if !is_name(text, MAX_ORG_NAME) {
        return None;
    }
    Some(match Uuid::parse_str(text) {
        Ok(own) => OrgClaim { id: Some(OrgId(own)), name: None },
        Err(_) => OrgClaim { id: id.map(OrgId), name: Some(text.to_owned()) },
    })
}

/// Texts of a list, a single text, or the names of an object (Zitadel writes roles so).
fn names(value: Option<&Value>) -> Vec<String> {
    let all: Vec<&str> = match value {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::Object(by_name)) => by_name.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let fits = |text: &&str| is_name(text, usize::MAX);
    unique(all.into_iter().map(str::trim).filter(fits).map(str::to_owned))
}

fn is_name(text: &str, longest: usize) -> bool {
    !text.is_empty() && text.chars().count() <= longest && !text.contains(char::is_control)
}

/// Each once, in the order of their first mention.
fn unique(all: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for one in all {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "6f1c1d0e-7c53-4a38-9a4e-0d4f3d2b1a00";

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(object) => object,
            other => panic!("{other}"),
        }
    }

    fn orgs(claims: Value) -> Vec<(Option<String>, Option<String>)> {
        let found = ClaimPaths::default().organizations(&object(claims));
        found.into_iter().map(|org| (org.id.map(|id| id.to_string()), org.name)).collect()
    }

    fn by_name(name: &str) -> (Option<String>, Option<String>) {
        (None, Some(name.to_owned()))
    }

    fn by_id() -> (Option<String>, Option<String>) {
        (Some(ID.to_owned()), None)
    }

    #[test]
    fn the_organization_is_found_in_every_usual_place_and_form() {
        for claims in [
            json!({"organization": "acme"}),
            json!({"organization": ["acme"]}),
            json!({"organization": {"acme": {}}}),
            json!({"organization": {"acme": {"id": "odd"}}}),
            json!({"user": {"organization_name": "acme"}}),
            json!({"user": {"organization_slug": "acme"}}),
            json!({"organization_name": " acme "}),
            json!({"https://barndoor.ai/organization_slug": "acme"}),
            json!({"organization_slug": "acme"}),
            json!({"org_slug": "acme", "organization_id": null}),
        ] {
            assert_eq!(orgs(claims.clone()), [by_name("acme")], "{claims}");
        }
        for name in ["organization_id", "org_id", "organization", "org_slug"] {
            assert_eq!(orgs(json!({name: ID})), [by_id()], "{name}");
        }
        let both = (Some(ID.to_owned()), Some("acme".to_owned()));
        assert_eq!(orgs(json!({"organization": {"acme": {"id": ID, "tier": ["x"]}}})), [both]);
    }

    #[test]
    fn the_first_place_counts_and_several_organizations_are_all_told() {
        let claims = json!({"org_slug": "other", "organization_id": ID, "organization": "third"});
        assert_eq!(orgs(claims), [by_id()]);
        let claims = json!({"organization": ["acme", "globex"]});
        assert_eq!(orgs(claims), [by_name("acme"), by_name("globex")]);
    }

    #[test]
    fn what_names_no_organization_is_none() {
        for claims in [
            json!({}),
            json!({"organization": ""}),
            json!({"organization": "  "}),
            json!({"organization": 7}),
            json!({"organization": []}),
            json!({"organization": [7, null]}),
            json!({"organization": {}}),
            json!({"organization": "a\u{0}b"}),
            json!({"org_id": "x".repeat(256)}),
            json!({"user": "acme"}),
        ] {
            assert!(orgs(claims.clone()).is_empty(), "{claims}");
        }
    }

    #[test]
    fn a_configured_claim_is_the_only_one() {
        let paths = ClaimPaths { org: Some("tenant.name".into()), ..ClaimPaths::default() };
        let at = |claims: Value| paths.organizations(&object(claims)).len();
        assert_eq!(at(json!({"tenant": {"name": "acme"}})), 1);
        assert_eq!(at(json!({"organization": "acme"})), 0);
    }

    #[test]
    fn a_path_may_lead_through_names_with_dots() {
        let claims = object(json!({
            "resource_access": {"my.client": {"roles": ["admin"]}},
            "https://example.com/org": {"v1.name": "acme"},
        }));
        assert_eq!(find(&claims, "resource_access.my.client.roles"), Some(&json!(["admin"])));
        assert_eq!(find(&claims, "https://example.com/org.v1.name"), Some(&json!("acme")));
        for path in ["", ".", "resource_access.", ".roles", "resource_access.my", "nothing.at.all"]
        {
            assert_eq!(find(&claims, path), None, "{path}");
        }
    }

    #[test]
    fn roles_are_those_of_the_realm_and_of_the_token() {
        let default = ClaimPaths::default();
        let roles = |claims: Value| default.roles(&object(claims));
        let keycloak = json!({
            "realm_access": {"roles": ["offline_access", "admin"]}, "roles": ["user", "admin"],
        });
        assert_eq!(roles(keycloak), ["offline_access", "admin", "user"]);
        assert_eq!(roles(json!({"roles": "admin"})), ["admin"]);
        assert_eq!(roles(json!({"roles": {"admin": {"1": "acme"}}})), ["admin"]);
        assert!(
            roles(json!({"roles": [7, null, ["admin"], ""], "realm_access": "admin"})).is_empty()
        );
        let paths = ClaimPaths { roles: Some("resource_access.t.roles".into()), ..default.clone() };
        let claims =
            object(json!({"roles": ["admin"], "resource_access": {"t": {"roles": ["user"]}}}));
        assert_eq!(paths.roles(&claims), ["user"]);
    }

    #[test]
    fn groups_lose_the_first_slash_of_their_path() {
        let default = ClaimPaths::default();
        let claims = object(json!({"groups": ["/research", "research", "/a/b", "plain", "/", 7]}));
        assert_eq!(default.groups(&claims), ["research", "a/b", "plain"]);
        let paths = ClaimPaths { groups: Some("memberOf".into()), ..default };
        assert_eq!(paths.groups(&object(json!({"memberOf": "ops", "groups": ["x"]}))), ["ops"]);
    }

    #[test]
    fn an_address_is_taken_if_it_can_be_one() {
        let default = ClaimPaths::default();
        let email = |value: Value| default.email(&object(json!({"email": value})));
        assert_eq!(email(json!("ann@acme.test")).as_deref(), Some("ann@acme.test"));
        for odd in [json!(""), json!(7), json!("a\u{0}@b"), json!("x".repeat(300)), json!(["a@b"])]
        {
            assert_eq!(email(odd.clone()), None, "{odd}");
        }
        let paths = ClaimPaths { email: Some("profile.mail".into()), ..default.clone() };
        let claims = object(json!({"profile": {"mail": "ann@acme.test"}}));
        assert_eq!(paths.email(&claims).as_deref(), Some("ann@acme.test"));
    }
}
