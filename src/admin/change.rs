//! Changes: a write, its audit record and its coming into force, as one thing.
//!
//! A handler that writes takes an [`Actor`] in place of a caller, asks for a [`Change`], works on its
//! transaction and ends with [`Change::commit`], which takes the [`Audit`]. There is no other way to
//! commit, so no change goes unrecorded or is answered before it is in force.

use std::ops::Deref;

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{error::AdminError, state::AdminState};
use crate::{
    auth::Caller,
    domain::{RequestId, Timestamp},
    store::{ChangeRow, Tx},
};

/// A caller who is about to change something, and the request by which they do.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    caller: Caller,
    request: RequestId,
}

impl Actor {
    /// The request's name.
    pub(super) const fn request(&self) -> &RequestId {
        &self.request
    }
}

impl Deref for Actor {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AdminError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let request = parts.extensions.get::<RequestId>().cloned();
        Ok(Self { caller, request: request.unwrap_or_else(RequestId::random) })
    }
}

/// A change in the making. Dropped without [`Change::commit`], nothing has happened.
pub(super) struct Change<'a> {
    state: &'a AdminState,
    actor: &'a Actor,
    tx: Tx,
}

impl AdminState {
    /// Begins a change to the actor's organization. Nobody else writes until it ends.
    pub(super) async fn change<'a>(&'a self, actor: &'a Actor) -> Result<Change<'a>, AdminError> {
        Ok(Change { state: self, actor, tx: self.store.write().await? })
    }
}

impl Change<'_> {
    /// Where the change is made.
    pub(super) fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// Makes the change and its record durable together, and puts it into force.
    pub(super) async fn commit(mut self, audit: Audit) -> Result<(), AdminError> {
        let caller = &self.actor.caller;
        let row = ChangeRow {
            org: caller.org,
            actor: Some(caller.user),
            actor_name: caller.email.clone().unwrap_or_else(|| caller.subject.clone()),
            action: format!("{}.{}", slug(audit.resource), audit.verb),
            resource: slug(audit.resource),
            resource_id: audit.id,
            before: audit.before,
            after: audit.after,
            request_id: self.actor.request.to_string(),
            at: Timestamp::now(),
        };
        self.tx.record(&row).await?;
        self.tx.commit().await?;
        self.state.put_into_force(caller.org).await
    }
}

/// A resource's name as filters have it: `token_budget`.
fn slug(resource: &str) -> String {
    resource.replace(' ', "_")
}

/// What a change was: kept for good, so it holds what the API shows and never a secret.
pub(super) struct Audit {
    resource: &'static str,
    verb: &'static str,
    id: Option<Uuid>,
    before: Option<Value>,
    after: Option<Value>,
}

impl Audit {
    /// Anything; `resource` is a name such as `api_key`, `verb` is in the present tense. For the usual three there are shorter ways.
    pub(super) fn new(resource: &'static str, verb: &'static str, id: Option<Uuid>) -> Self {
        Self { resource, verb, id, before: None, after: None }
    }

    /// `create`
    pub(super) fn created(
        resource: &'static str,
        id: Uuid,
        view: &impl Serialize,
    ) -> Result<Self, AdminError> {
        Self::new(resource, "create", Some(id)).after(view)
    }

    /// `update`
    pub(super) fn updated(
        resource: &'static str,
        id: Uuid,
        before: &impl Serialize,
        after: &impl Serialize,
    ) -> Result<Self, AdminError> {
        Self::new(resource, "update", Some(id)).before(before)?.after(after)
    }

    /// `delete`
    pub(super) fn deleted(
        resource: &'static str,
        id: Uuid,
        view: &impl Serialize,
    ) -> Result<Self, AdminError> {
        Self::new(resource, "delete", Some(id)).before(view)
    }

    /// What was there before, as the API shows it.
    pub(super) fn before(mut self, view: &impl Serialize) -> Result<Self, AdminError> {
        self.before = Some(shown(view)?);
        Ok(self)
    }

    /// What is there now, as the API shows it.
    pub(super) fn after(mut self, view: &impl Serialize) -> Result<Self, AdminError> {
        self.after = Some(shown(view)?);
        Ok(self)
    }

    /// Notes that a secret was set or replaced, where one was.
    pub(super) fn credentials(mut self, changed: bool) -> Self {
        if let (true, Some(Value::Object(after))) = (changed, &mut self.after) {
            after.insert("credentials".to_owned(), json!("changed"));
        }
        self
    }
}

fn shown(view: &impl Serialize) -> Result<Value, AdminError> {
    serde_json::to_value(view).map_err(|error| {
        tracing::error!(%error, "a view cannot be written as JSON");
        AdminError::internal()
    })
}
