//! The vendors' own lists of models: `GET …/models` with the key that was found.
//!
//! OpenAI: <https://platform.openai.com/docs/api-reference/models/list>, `{"data":[{"id"}]}`.
//! Anthropic: <https://platform.claude.com/docs/en/api/models-list>, the same with pages (`has_more`,
//! `last_id`). Together answers the bare array.

use std::{collections::HashSet, time::Duration};

use futures_util::StreamExt as _;
use http::HeaderValue;
use reqwest::{Client, RequestBuilder, redirect};
use serde::Deserialize;
use url::Url;

use crate::{domain::Endpoint, provider::Vendor, secrets::Secret};

/// For one vendor's whole list.
const TIME_LIMIT: Duration = Duration::from_secs(3);
const MAX_PAGES: usize = 20;
const MAX_PAGE_BYTES: usize = 8 << 20;
const MAX_MODELS: usize = 1000;
const MAX_ID_CHARS: usize = 256;

/// Asks a vendor which models it has.
#[async_trait::async_trait]
pub trait Discover: Send + Sync {
    /// Ids of the vendor's models, in its order.
    ///
    /// # Errors
    /// When there is no list to be had; the catalogue's takes its place.
    async fn models(&self, vendor: &Vendor, key: &Secret) -> Result<Vec<String>, DiscoverError>;
}

/// Why there is no list. Never contains the key.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The vendor has no such endpoint, or no address of its own.
    #[error("the vendor publishes no list of models")]
    NotOffered,
    /// No HTTP client could be made.
    #[error("no HTTPS client can be made on this machine")]
    Client,
    /// Refused, cut off, not resolved.
    #[error("the vendor could not be reached")]
    Unreachable,
    /// Not within three seconds.
    #[error("the vendor did not answer in time")]
    Timeout,
    /// Not 200.
    #[error("the vendor answered {0}")]
    Status(u16),
    /// No list in it, or an empty one.
    #[error("the vendor's answer holds no list of models")]
    Content,
}

/// Asks the vendors themselves.
pub struct VendorLists {
    client: Option<Client>,
    limit: Duration,
}

impl VendorLists {
    /// A client that follows no redirect, so that keys go to the vendor alone.
    #[must_use]
    pub fn new() -> Self {
        // The HTTP client takes the process's provider and panics without one; a second call
        // changes nothing.
        let _already_installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .inspect_err(
                |error| tracing::warn!(%error, "no HTTPS client for the vendors' model lists"),
            )
            .ok();
        Self { client, limit: TIME_LIMIT }
    }

    async fn list(&self, vendor: &Vendor, key: &Secret) -> Result<Vec<String>, DiscoverError> {
        let base = vendor.base_url.as_deref().ok_or(DiscoverError::NotOffered)?;
        if !vendor.endpoints.contains(&Endpoint::Models) {
            return Err(DiscoverError::NotOffered);
        }
        let client = self.client.as_ref().ok_or(DiscoverError::Client)?;
        let first = vendor.url(base, Endpoint::Models);
        let first = Url::parse(&first).map_err(|_| DiscoverError::NotOffered)?;
        let mut url = first.clone();
        let mut ids = Vec::new();
        for _ in 0..MAX_PAGES {
            let page = page(authorized(client.get(url), vendor, key)).await?;
            ids.extend(page.models.into_iter().map(|model| model.id));
            let Some(last) = page.next.filter(|_| ids.len() < MAX_MODELS) else { break };
            url = first.clone();
            url.query_pairs_mut().append_pair("after_id", &last);
        }
        tidy(ids)
    }
}

impl Default for VendorLists {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait::async_trait]
impl Discover for VendorLists {
    async fn models(&self, vendor: &Vendor, key: &Secret) -> Result<Vec<String>, DiscoverError> {
        let list = tokio::time::timeout(self.limit, self.list(vendor, key)).await;
        list.unwrap_or(Err(DiscoverError::Timeout))
    }
}

fn authorized(request: RequestBuilder, vendor: &Vendor, key: &Secret) -> RequestBuilder {
    let value = HeaderValue::try_from(format!("{}{}", vendor.auth.prefix(), key.expose()));
    let request = match value {
        Ok(mut value) => {
            value.set_sensitive(true);
            request.header(vendor.auth.header(), value)
        }
        // The vendor's refusal then tells what is wrong.
        Err(_) => request,
    };
    vendor
        .default_headers
        .iter()
        .fold(request, |request, (name, value)| request.header(name, value))
}

#[derive(Deserialize)]
struct Model {
    id: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Bare(Vec<Model>),
    Listed {
        data: Vec<Model>,
        #[serde(default)]
        has_more: bool,
        #[serde(default)]
        last_id: Option<String>,
    },
}

struct Page {
    models: Vec<Model>,
    /// Where the next page begins, if there is one.
    next: Option<String>,
}

async fn page(request: RequestBuilder) -> Result<Page, DiscoverError> {
    let response = request.send().await.map_err(|_| DiscoverError::Unreachable)?;
    if response.status() != 200 {
        return Err(DiscoverError::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.map_err(|_| DiscoverError::Unreachable)?);
        if body.len() > MAX_PAGE_BYTES {
            return Err(DiscoverError::Content);
        }
    }
    Ok(match serde_json::from_slice(&body).map_err(|_| DiscoverError::Content)? {
        Body::Bare(models) => Page { models, next: None },
        Body::Listed { data, has_more, last_id } => {
            Page { models: data, next: last_id.filter(|_| has_more) }
        }
    })
}

/// Ids that can be stored and sent, each once.
fn tidy(mut ids: Vec<String>) -> Result<Vec<String>, DiscoverError> {
    let mut seen = HashSet::new();
    ids.retain(|id| {
        let fits = !id.trim().is_empty()
            && id.chars().count() <= MAX_ID_CHARS
            && !id.chars().any(char::is_control);
        fits && seen.insert(id.clone())
    });
    ids.truncate(MAX_MODELS);
    if ids.is_empty() { Err(DiscoverError::Content) } else { Ok(ids) }
}

#[cfg(test)]
mod tests;
