//! `auth.issuers`: tables of keys within one key, each fault at the line of its own.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    fault::{Fault, Place},
    file::Setting,
    schema::Issuer,
    value::{self, Field, Given, choice},
};
use crate::{domain::Role, secrets::Secret};

const KEYS: [&str; 12] = [
    "issuer",
    "audience",
    "jwks_url",
    "org_claim",
    "roles_claim",
    "groups_claim",
    "email_claim",
    "organizations",
    "max_role",
    "client_id",
    "client_secret",
    "scopes",
];
const ROLES: &[(&str, Role)] =
    &[("user", Role::User), ("admin", Role::Admin), ("superadmin", Role::Superadmin)];
/// Any organization.
const ANY: &str = "*";

/// The valid ones; whatever is wrong is added to `faults`.
pub(super) fn read(setting: &Setting, faults: &mut Vec<Fault>) -> Vec<Issuer> {
    let given = match &setting.given {
        Given::Variable(json) => from_json(json, &setting.place),
        Given::List(items) => Ok(items.clone()),
        other => Err(format!("expected tables [[auth.issuers]], found {}", other.kind())),
    };
    let items = match given {
        Ok(items) => items,
        Err(message) => {
            let key = Some("auth.issuers".to_owned());
            faults.push(Fault { place: setting.place.clone(), key, message });
            return Vec::new();
        }
    };
    let mut issuers: Vec<Issuer> = Vec::new();
    for (at, item) in items.into_iter().enumerate() {
        let mut fields = Fields::new(at, item, &setting.place);
        let read = issuer(&mut fields);
        if let Some(issuer) = &read
            && issuers.iter().any(|known| known.issuer == issuer.issuer)
        {
            fields.blame("issuer", "is given twice; an issuer has one entry".to_owned());
        }
        fields.blame_the_rest();
        issuers.extend(read);
        faults.append(&mut fields.faults);
    }
    issuers
}

fn issuer(fields: &mut Fields) -> Option<Issuer> {
    let issuer = fields.required("issuer", value::web_url);
    let audience = fields.required("audience", value::text);
    let organizations = fields.required("organizations", organizations);
    let jwks_url = fields.optional("jwks_url", value::fetch_url);
    let org_claim = fields.optional("org_claim", value::text);
    let roles_claim = fields.optional("roles_claim", value::text);
    let groups_claim = fields.optional("groups_claim", value::text);
    let email_claim = fields.optional("email_claim", value::text);
    let max_role = fields.optional("max_role", choice(ROLES)).unwrap_or(Role::Admin);
    let client_id = fields.optional("client_id", value::text);
    let client_secret = fields.optional("client_secret", value::text).map(Secret::new);
    if client_secret.is_some() && client_id.is_none() {
        fields.blame("client_secret", "needs client_id beside it".to_owned());
    }
    let scopes = fields.optional("scopes", scopes).unwrap_or_else(default_scopes);
    Some(Issuer {
        issuer: issuer?,
        audience: audience?,
        jwks_url,
        org_claim,
        roles_claim,
        groups_claim,
        email_claim,
        organizations: organizations?,
        max_role,
        client_id,
        client_secret,
        scopes,
    })
}

fn organizations(given: &Given) -> Result<Vec<String>, String> {
    let names = value::texts(given, "[\"acme\"], or [\"*\"] for any")?;
    if names.is_empty() {
        return Err("must name an organization, or \"*\" for any".to_owned());
    }
    if names.len() > 1 && names.iter().any(|name| name == ANY) {
        return Err("\"*\" is any organization already; leave the others out".to_owned());
    }
    Ok(names)
}

fn scopes(given: &Given) -> Result<Vec<String>, String> {
    let scopes = value::texts(given, "[\"openid\", \"email\"]")?;
    if scopes.iter().any(|scope| scope == "openid") {
        Ok(scopes)
    } else {
        Err("must contain \"openid\", without which there is no sign-in".to_owned())
    }
}

fn default_scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).to_vec()
}

/// The keys of one table.
struct Fields {
    name: String,
    place: Place,
    given: BTreeMap<String, (Given, Place)>,
    places: BTreeMap<String, Place>,
    faults: Vec<Fault>,
}

impl Fields {
    fn new(at: usize, item: Given, list: &Place) -> Self {
        let name = format!("auth.issuers[{at}]");
        let mut faults = Vec::new();
        let mut given = BTreeMap::new();
        let mut place = list.clone();
        if let Given::Table(fields) = item {
            place = fields.iter().map(|field| &field.place).min().cloned().unwrap_or(place);
            given.extend(fields.into_iter().map(|f| (f.key, (f.given, f.place))));
        } else {
            let message = format!("expected a table, found {}", item.kind());
            faults.push(Fault { place: place.clone(), key: Some(name.clone()), message });
        }
        let places = given.iter().map(|(key, (_, place))| (key.clone(), place.clone())).collect();
        Self { name, place, given, places, faults }
    }

    fn required<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&Given) -> Result<T, String>,
    ) -> Option<T> {
        if !self.places.contains_key(key) {
            if self.faults.is_empty() || !self.places.is_empty() {
                self.blame(key, "is required".to_owned());
            }
            return None;
        }
        self.read(key, read)
    }

    /// An empty string leaves it unset, as everywhere.
    fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&Given) -> Result<T, String>,
    ) -> Option<T> {
        self.read(key, value::optional(read)).flatten()
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&Given) -> Result<T, String>,
    ) -> Option<T> {
        let (given, _) = self.given.remove(key)?;
        read(&given).map_err(|message| self.blame(key, message)).ok()
    }

    fn blame(&mut self, key: &str, message: String) {
        let place = self.places.get(key).unwrap_or(&self.place).clone();
        let key = Some(format!("{}.{key}", self.name));
        self.faults.push(Fault { place, key, message });
    }

    fn blame_the_rest(&mut self) {
        for key in std::mem::take(&mut self.given).into_keys() {
            let likeness = |known: &str| strsim::normalized_damerau_levenshtein(known, &key);
            let meant = KEYS.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            let message = match meant.filter(|known| likeness(known) >= 0.65) {
                Some(known) => format!("unknown key; did you mean {known}?"),
                None => format!("unknown key; an issuer has {}", KEYS.join(", ")),
            };
            self.blame(&key, message);
        }
    }
}

/// A list from a variable. What stands in it may be secret and is not repeated.
fn from_json(json: &str, place: &Place) -> Result<Vec<Given>, String> {
    if json.is_empty() {
        return Ok(Vec::new());
    }
    let expected = "expected a JSON array of objects such as [{\"issuer\": \"https://…\"}]";
    match serde_json::from_str(json) {
        Ok(Value::Array(items)) => Ok(items.into_iter().map(|item| given(item, place)).collect()),
        Ok(_) => Err(expected.to_owned()),
        Err(fault) => Err(format!(
            "{expected}, found none (line {}, column {})",
            fault.line(),
            fault.column()
        )),
    }
}

fn given(value: Value, place: &Place) -> Given {
    match value {
        Value::String(text) => Given::Text(text),
        Value::Number(number) => {
            number.as_i64().map_or(Given::Other("a number that is no integer"), Given::Integer)
        }
        Value::Array(items) => Given::List(items.into_iter().map(|i| given(i, place)).collect()),
        Value::Object(fields) => Given::Table(
            fields
                .into_iter()
                .map(|(key, value)| Field { key, given: given(value, place), place: place.clone() })
                .collect(),
        ),
        Value::Bool(_) => Given::Other("a boolean"),
        Value::Null => Given::Other("null"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::load::load;
    use super::*;

    const WHOLE: &str = r#"
[[auth.issuers]]
issuer = "https://id.example/realms/acme/"
audience = "https://turnpike.example"
jwks_url = "https://id.example/keys?realm=acme"
org_claim = "tenant.name"
roles_claim = "resource_access.turnpike.roles"
groups_claim = "memberships"
email_claim = "mail"
organizations = ["acme", "globex"]
max_role = "superadmin"
client_id = "console"
client_secret = "canary-4711"
scopes = ["openid", "organization"]
"#;

    fn from_file(text: &str) -> Result<Vec<Issuer>, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.toml");
        std::fs::write(&path, text).unwrap();
        let short = |fault: &Fault| fault.to_string().replace(&path.display().to_string(), "");
        load(Some(Path::new(&path)), &[])
            .map(|config| config.auth.issuers)
            .map_err(|faults| faults.iter().map(short).collect())
    }

    fn from_variable(json: &str) -> Result<Vec<Issuer>, Vec<String>> {
        load(None, &[("TURNPIKE_AUTH__ISSUERS".to_owned(), json.to_owned())])
            .map(|config| config.auth.issuers)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_key_is_read() {
        let issuers = from_file(WHOLE).unwrap();
        let issuer = &issuers[0];
        assert_eq!(issuer.issuer, "https://id.example/realms/acme");
        assert_eq!(issuer.audience, "https://turnpike.example");
        assert_eq!(issuer.jwks_url.as_deref(), Some("https://id.example/keys?realm=acme"));
        assert_eq!(issuer.org_claim.as_deref(), Some("tenant.name"));
        assert_eq!(issuer.roles_claim.as_deref(), Some("resource_access.turnpike.roles"));
        assert_eq!(issuer.groups_claim.as_deref(), Some("memberships"));
        assert_eq!(issuer.email_claim.as_deref(), Some("mail"));
        assert_eq!(issuer.organizations, ["acme", "globex"]);
        assert_eq!(issuer.max_role, Role::Superadmin);
        assert_eq!(issuer.client_id.as_deref(), Some("console"));
        assert_eq!(issuer.client_secret.as_ref().unwrap().expose(), "canary-4711");
        assert_eq!(issuer.scopes, ["openid", "organization"]);
        assert!(!format!("{issuer:?}").contains("canary-4711"));
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let json = r#"[{"issuer":"https://id.example","audience":"a","organizations":["*"]}]"#;
        let issuer = &from_variable(json).unwrap()[0];
        assert_eq!(issuer.max_role, Role::Admin);
        assert_eq!(issuer.scopes, ["openid", "profile", "email"]);
        assert!(issuer.jwks_url.is_none() && issuer.org_claim.is_none());
        assert!(from_variable("").unwrap().is_empty());
        assert!(from_variable("[]").unwrap().is_empty());
        assert!(from_file("[auth]\nissuers = []\n").unwrap().is_empty());
    }

    #[test]
    fn every_fault_of_every_issuer_is_told_at_its_line() {
        let text = "[[auth.issuers]]\nissuer = \"id.example\"\naudiance = \"a\"\norganizations = []\n\
                    [[auth.issuers]]\nissuer = \"https://id.example\"\naudience = 7\n\
                    organizations = [\"*\", \"acme\"]\nmax_role = \"root\"\nscopes = [\"email\"]\n\
                    jwks_url = \"ftp://x\"\nclient_secret = \"canary-4711\"\n";
        let faults = from_file(text).unwrap_err();
        let starts = [
            ":2: auth.issuers[0].audience: is required",
            ":2: auth.issuers[0].issuer: expected a URL",
            ":3: auth.issuers[0].audiance: unknown key; did you mean audience?",
            ":4: auth.issuers[0].organizations: must name an organization",
            ":7: auth.issuers[1].audience: expected a string, found an integer",
            ":8: auth.issuers[1].organizations: \"*\" is any organization already",
            ":9: auth.issuers[1].max_role: expected \"user\" or \"admin\" or \"superadmin\"",
            ":10: auth.issuers[1].scopes: must contain \"openid\"",
            ":11: auth.issuers[1].jwks_url: expected a URL",
            ":12: auth.issuers[1].client_secret: needs client_id",
        ];
        assert_eq!(faults.len(), starts.len(), "{faults:#?}");
        for (fault, start) in faults.iter().zip(starts) {
            assert!(fault.starts_with(start), "{fault} / {start}");
        }
        assert!(!faults.concat().contains("canary-4711"));
    }

    #[test]
    fn an_issuer_given_twice_is_a_fault_also_with_another_slash() {
        let one = |issuer: &str| {
            format!(r#"{{"issuer":"{issuer}","audience":"a","organizations":["*"]}}"#)
        };
        let json = format!("[{},{}]", one("https://id.example"), one("https://id.example/"));
        let faults = from_variable(&json).unwrap_err();
        let expected = "environment TURNPIKE_AUTH__ISSUERS: auth.issuers[1].issuer: is given twice; \
                        an issuer has one entry";
        assert_eq!(faults, [expected]);
    }

    #[test]
    fn what_is_no_list_of_tables_is_a_fault_that_repeats_no_secret() {
        for json in ["{", "{}", "7", r#"{"client_secret":"canary-4711"}"#, "[\"canary-4711\"]"] {
            let faults = from_variable(json).unwrap_err();
            assert_eq!(faults.len(), 1, "{json}: {faults:?}");
            assert!(!faults[0].contains("canary"), "{}", faults[0]);
        }
        let table = from_file("[auth.issuers]\nissuer = \"https://id.example\"\n").unwrap_err();
        assert!(table[0].contains("[[auth.issuers]]"), "{table:?}");
    }
}
