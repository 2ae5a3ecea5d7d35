//! Which records, and how they are told: what lists and summaries of usage share.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{error::AdminError, paging};
use crate::{
    domain::{KeyId, ProviderId, Timestamp, UserId},
    store::{RecordFilter, UsageFilter},
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
    /// Alias of a smart model: its requests and those of its determiner.
    smart_model: Option<String>,
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
            smart_model: self.smart_model.clone(),
            status: self.status.as_deref().map(status).transpose()?,
        })
    }
}

/// What single records are picked by beyond that, as text.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Single {
    /// The `x-request-id` of the request.
    request_id: Option<String>,
    /// `ok`: answered with less than 400; `error`: with 400 or more, as summaries count errors.
    #[param(value_type = Option<Outcome>, inline)]
    outcome: Option<String>,
}

/// How a request went
#[derive(ToSchema)]
#[schema(as = UsageOutcome, rename_all = "lowercase")]
#[expect(dead_code, reason = "describes a parameter that is read as text")]
enum Outcome {
    Ok,
    Error,
}

impl Single {
    /// With the other filters.
    pub(super) fn with(&self, usage: UsageFilter) -> Result<RecordFilter, AdminError> {
        let failed = match self.outcome.as_deref() {
            None => None,
            Some("ok") => Some(false),
            Some("error") => Some(true),
            Some(_) => return Err(AdminError::bad_request("outcome must be ok or error")),
        };
        Ok(RecordFilter { usage, request_id: self.request_id.clone(), failed })
    }
}

/// How what is found is told, as text.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Told {
    /// `json`, also where nothing is said, or `csv`.
    #[param(value_type = Option<Format>, inline)]
    format: Option<String>,
}

/// A way to tell it
#[derive(ToSchema)]
#[schema(as = UsageFormat, rename_all = "lowercase")]
#[expect(dead_code, reason = "describes a parameter that is read as text")]
enum Format {
    Json,
    Csv,
}

impl Told {
    pub(super) fn is_csv(&self) -> Result<bool, AdminError> {
        match self.format.as_deref() {
            None | Some("json") => Ok(false),
            Some("csv") => Ok(true),
            Some(_) => Err(AdminError::bad_request("format must be json or csv")),
        }
    }
}

fn status(text: &str) -> Result<u16, AdminError> {
    text.parse().map_err(|_| AdminError::bad_request("status must be a number such as 200"))
}
