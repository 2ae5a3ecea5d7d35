//! Asks a smart model's determiner, by a request of the gateway's own.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use serde_json::{Value, json};

use super::{inside::Commission, shared::Shared};
use crate::{
    auth::Principal,
    domain::{DETERMINER_CLIENT, Endpoint, ModelFacts, RequestId},
    policy,
    route::{self, Resolution},
    snapshot::{OrgSnapshot, Route, SmartModel, Way},
    wire::headers::{TRACEPARENT, X_REQUEST_ID},
};

/// Behind the caller's request id, in the determiner's.
const SUFFIX: &str = ".d";
/// Longest request id.
const MAX_ID: usize = 128;
/// Tokens that an answer of one number may take.
const ANSWER_TOKENS: u32 = 16;
/// The same, of a model that may think before it answers.
const THINKING_TOKENS: u32 = 2048;

/// What is asked about.
pub struct Asked<'a> {
    pub org: &'a OrgSnapshot,
    pub model: &'a SmartModel,
    /// What the caller's user said, as far as the determiner may see it.
    pub text: &'a str,
}

/// On whose behalf, and by which request.
pub struct Asker<'a> {
    pub principal: &'a Arc<Principal>,
    pub request_id: &'a str,
    /// None for a request without a trace.
    pub traceparent: Option<String>,
}

/// The slot that the determiner names; none where it does not, or not in time. It stops asking when this is
/// dropped.
pub async fn ask(shared: &Shared, asker: &Asker<'_>, asked: &Asked<'_>) -> Option<usize> {
    let request = request(asker, &body(asked))?;
    let patience: Duration = shared.limits.determiner_timeout;
    let commission = Commission {
        principal: Arc::clone(asker.principal),
        smart_model: Arc::clone(&asked.model.alias),
    };
    let answer = shared.inside.ask(commission, request, patience).await?;
    let slots = asked.model.slots.len();
    policy::answered(answer.body(), slots).filter(|_| answer.status().is_success())
}

/// The slot that the determiner of a draft names for `text`, asked on behalf of `principal` by the request of
/// that id; none where it does not, or not in time.
pub async fn preview(
    shared: &Shared,
    principal: &Arc<Principal>,
    draft: &SmartModel,
    text: &str,
    request: &RequestId,
) -> Option<usize> {
    let org = shared.snapshot.load().orgs.get(&principal.org).cloned()?;
    let asker = Asker { principal, request_id: &request.to_string(), traceparent: None };
    ask(shared, &asker, &Asked { org: &org, model: draft, text }).await
}

fn body(asked: &Asked<'_>) -> Value {
    let model = asked.model;
    let mark = format!("---{}---", uuid::Uuid::new_v4().simple());
    let slots = model.slots.iter().map(|slot| (&*slot.alias, slot.label.as_deref()));
    let question = policy::question(model.description.as_deref(), slots, asked.text, &mark);
    let mut body = json!({
        "model": &*model.determiner,
        "messages": [
            {"role": "system", "content": question.instructions},
            {"role": "user", "content": question.quoted},
        ],
    });
    let resolution = route::resolve(asked.org, &model.determiner);
    let manner = Manner::of(resolution.as_ref().map_or(&[][..], Resolution::routes));
    if let Some(members) = body.as_object_mut() {
        members.insert(manner.limit_name().to_owned(), manner.limit().into());
        members.extend(manner.is_cold().then(|| ("temperature".to_owned(), 0.into())));
    }
    body
}

/// What the request may ask for beside an answer. Where bytes pass, the vendor judges them as they are: what
/// one of the routes might refuse is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Manner {
    /// A model may think, of which tokens are used up.
    thinks: bool,
    /// Bytes pass to `OpenAI`'s own models, for which `max_tokens` is an old name that some refuse.
    openai: bool,
}

impl Manner {
    fn of(routes: &[Arc<Route>]) -> Self {
        let passes = |route: &Route| route.way(Endpoint::ChatCompletions) == Some(Way::Pass);
        Self {
            thinks: routes.iter().any(|route| may_think(&route.facts)),
            openai: routes
                .iter()
                .any(|route| passes(route) && route.provider.vendor.quirks.openai_models),
        }
    }

    const fn limit_name(self) -> &'static str {
        if self.openai { "max_completion_tokens" } else { "max_tokens" }
    }

    const fn limit(self) -> u32 {
        if self.thinks { THINKING_TOKENS } else { ANSWER_TOKENS }
    }

    /// `OpenAI`'s models that think take no temperature.
    const fn is_cold(self) -> bool {
        !(self.thinks && self.openai)
    }
}

/// Of a model that is not known, it is better assumed.
fn may_think(facts: &ModelFacts) -> bool {
    facts.reasoning_mode.is_some() || facts.capabilities.is_none()
}

/// The request, which the caller's id and trace can be told by.
fn request(asker: &Asker<'_>, body: &Value) -> Option<Request<Full<Bytes>>> {
    let mut request = Request::new(Full::new(Bytes::from(body.to_string())));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static("/v1/chat/completions");
    let headers = request.headers_mut();
    let fixed = HeaderValue::from_static;
    headers.insert(header::HOST, fixed("turnpike"));
    headers.insert(header::CONNECTION, fixed("close"));
    headers.insert(header::CONTENT_TYPE, fixed("application/json"));
    headers.insert(header::USER_AGENT, fixed(DETERMINER_CLIENT));
    let id = HeaderValue::try_from(id(asker.request_id)).ok()?;
    headers.insert(&X_REQUEST_ID, id);
    if let Some(parent) = &asker.traceparent {
        let parent = HeaderValue::try_from(parent).ok()?;
        headers.insert(&TRACEPARENT, parent);
    }
    Some(request)
}

/// The caller's request id, marked as the determiner's.
fn id(callers: &str) -> String {
    let kept: String = callers.chars().take(MAX_ID - SUFFIX.len()).collect();
    kept + SUFFIX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_determiners_id_is_the_callers_and_still_an_id() {
        assert_eq!(id("abc"), "abc.d");
        let long = id(&"x".repeat(MAX_ID));
        assert!(RequestId::taken(&long).is_some() && long.ends_with("x.d"), "{long}");
    }

    #[test]
    fn what_a_model_that_thinks_might_refuse_is_left_out() {
        let manner = |thinks, openai| Manner { thinks, openai };
        for (manner, name, limit, cold) in [
            (manner(false, false), "max_tokens", 16, true),
            (manner(false, true), "max_completion_tokens", 16, true),
            (manner(true, false), "max_tokens", 2048, true),
            (manner(true, true), "max_completion_tokens", 2048, false),
        ] {
            let told = (manner.limit_name(), manner.limit(), manner.is_cold());
            assert_eq!(told, (name, limit, cold));
        }
    }
}
