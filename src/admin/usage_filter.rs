//! Which records: the filters that lists and summaries of usage share.

use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{error::AdminError, paging};
use crate::{
    domain::{KeyId, ProviderId, Timestamp, UserId},
    store::UsageFilter,
};

/// Filters, as text: each refusal then names its parameter.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Earliest time.
    #[param(value_type = Option<Timestamp>)]
    from: Option<String>,
    /// The time before which they are.
    #[param(value_type = Option<Timestamp>)]
    to: Option<String>,
    #[param(value_type = Option<UserId>)]
    user: Option<String>,
    group: Option<String>,
    #[param(value_type = Option<KeyId>)]
    api_key: Option<String>,
    /// Id or name.
    provider: Option<String>,
    /// Upstream model.
    model: Option<String>,
    alias: Option<String>,
    #[param(value_type = Option<u16>, maximum = 65535)]
    status: Option<String>,
}

impl Which {
    /// What the texts mean, or which of them means nothing.
    pub(super) fn filter(&self) -> Result<UsageFilter, AdminError> {
        let provider = self.provider.as_deref().map(|text| (Uuid::parse_str(text).ok(), text));
        Ok(UsageFilter {
            from: paging::time("from", self.from.as_deref())?,
            to: paging::time("to", self.to.as_deref())?,
            user: paging::id("user", self.user.as_deref())?.map(UserId),
            group: self.group.clone(),
            api_key: paging::id("api_key", self.api_key.as_deref())?.map(KeyId),
            provider: provider.and_then(|(id, _)| id).map(ProviderId),
            provider_name: provider.filter(|(id, _)| id.is_none()).map(|(_, name)| name.to_owned()),
            model: self.model.clone(),
            alias: self.alias.clone(),
            status: self.status.as_deref().map(status).transpose()?,
        })
    }
}

fn status(text: &str) -> Result<u16, AdminError> {
    text.parse().map_err(|_| AdminError::bad_request("status must be a number such as 200"))
}
