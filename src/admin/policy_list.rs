//! Lists of policies, searched, sorted and paged: by whom they are about as well, as people call them.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    error::AdminError,
    paging::{Listed, Listing},
    sorting::{self, Entry, Key, Order, Sorts, name},
};
use crate::{
    domain::{KeyId, OrgId, ProviderId, Scope, ScopeType, UserId},
    store::Tx,
};

/// The name under which policies are sorted by whom they are about.
pub(super) const BY_SCOPE: &str = "scope";

/// What the ids in policies stand for.
pub(super) struct Names(HashMap<Uuid, String>);

impl Names {
    /// Of whom these scopes are about, and of the organization's providers: as far as the list is searched
    /// or sorted by them.
    pub(super) async fn of(
        tx: &mut Tx,
        org: OrgId,
        scopes: &[&Scope],
        (listing, order): (&Listing, &Order),
    ) -> Result<Self, AdminError> {
        if listing.search()?.is_none() && !order.is_by(BY_SCOPE) {
            return Ok(Self(HashMap::new()));
        }
        let of_kind = |kind| scopes.iter().filter(move |scope| scope.kind == kind);
        let users: Vec<UserId> =
            of_kind(ScopeType::User).filter_map(|scope| scope.id.map(UserId)).collect();
        let keys: Vec<KeyId> =
            of_kind(ScopeType::ApiKey).filter_map(|scope| scope.id.map(KeyId)).collect();
        let providers = tx.providers(org).await?.into_iter();
        let mut names: HashMap<Uuid, String> =
            providers.map(|provider| (provider.id.0, provider.name)).collect();
        let users = tx.users_by_id(org, &users).await?.into_iter();
        names.extend(users.map(|user| (user.id.0, user.email.unwrap_or(user.subject))));
        let keys = tx.keys_by_id(org, &keys).await?.into_iter();
        names.extend(keys.map(|key| (key.id.0, key.name)));
        Ok(Self(names))
    }

    /// The provider's name; none of one that is gone.
    pub(super) fn provider(&self, id: ProviderId) -> Option<&str> {
        self.0.get(&id.0).map(String::as_str)
    }

    /// Where a policy stands in its list. It is searched for `more` as well.
    pub(super) fn place(&self, id: Uuid, name: &str, scope: &Scope, more: &[&str]) -> Place {
        let of_id = || scope.id.and_then(|id| self.0.get(&id)).map(String::as_str);
        let about = scope.value.as_deref().or_else(of_id);
        let everyone = if scope.kind == ScopeType::Org { "" } else { "every each" };
        let about_whom = about.unwrap_or(everyone);
        let searched = [name, scope.kind.as_str(), word(scope.kind), about_whom];
        Place {
            id,
            name: name.to_owned(),
            about: about.map(str::to_owned),
            text: [&searched, more].concat().join("\n"),
        }
    }
}

/// What people call a scope's type, where that is not its name in the API.
const fn word(kind: ScopeType) -> &'static str {
    match kind {
        ScopeType::Org => "the organization",
        ScopeType::Group => "team",
        ScopeType::Team => "group",
        ScopeType::User => "person",
        ScopeType::ApiKey => "api key",
        ScopeType::LlmProvider => "provider",
        ScopeType::Model => "upstream model",
        ScopeType::ModelAlias => "alias",
        ScopeType::Role | ScopeType::Project | ScopeType::McpServer | ScopeType::Agent => "",
    }
}

/// Where a policy stands in its list.
pub(super) struct Place {
    id: Uuid,
    name: String,
    /// The one that it is about; none where it is about everyone of a type.
    about: Option<String>,
    text: String,
}

/// A policy in its list, and what it is shown as.
pub(super) struct Policy<P> {
    pub(super) place: Place,
    pub(super) shown: P,
}

/// What policies are shown as.
pub(super) trait Shown: Sized + 'static {
    /// As [`Entry::LIST`].
    const LIST: &'static str;
    /// As [`Entry::SORTS`].
    const SORTS: Sorts<Policy<Self>>;
}

/// By its name.
#[expect(clippy::unnecessary_wraps, reason = "others are sorted by what is not always known")]
pub(super) fn by_name<P>(policy: &Policy<P>) -> Key {
    Some(name(&policy.place.name))
}

/// By whom it is about; those about everyone of a type come last.
pub(super) fn by_scope<P>(policy: &Policy<P>) -> Key {
    policy.place.about.as_deref().map(name)
}

impl<P: Shown> Entry for Policy<P> {
    const LIST: &'static str = P::LIST;
    const SORTS: Sorts<Self> = P::SORTS;

    fn text(&self) -> String {
        self.place.text.clone()
    }

    /// Names need not be one policy's alone.
    fn identity(&self) -> String {
        self.place.id.to_string()
    }
}

/// The part of them that was asked for.
pub(super) fn part<P: Shown>(
    policies: Vec<Policy<P>>,
    listing: &Listing,
    order: &Order,
) -> Result<Listed<P>, AdminError> {
    Ok(sorting::part(policies, listing, order)?.map(|policy| policy.shown))
}
