//! What is done with an answer while it passes, by the way in which it was asked for.

use std::sync::Arc;

use http::HeaderMap;

use super::{
    ctx::{Call, Meter},
    plan,
    stream::StreamAnswer,
    whole::{Change, WholeAnswer},
};
use crate::{
    dialect::{AnswerMeter, StreamMeter},
    domain::{Endpoint, Timestamp},
    route::Plan,
    snapshot::{Route, Way},
    translate::{
        Additions, Answering, ClientApi, Echo, Platform, RehostStream, Selection, StreamTranslator,
    },
    wire::headers::{EVENT_STREAM, is_of_type},
};

/// What is to be done with an answer that is one.
pub fn meter(call: &Call, headers: &HeaderMap, arrived: Timestamp) -> Meter {
    let (Some(endpoint), Some(inbound)) = (call.endpoint, &call.inbound) else {
        return Meter::None;
    };
    let Some(route) = call.plan.as_deref().and_then(Plan::current) else { return Meter::None };
    let way = route.way(endpoint).unwrap_or(Way::Pass);
    let whole = |change| Meter::Whole(Box::new(WholeAnswer::new(endpoint, change)));
    if !is_event_stream(headers) {
        return match way {
            Way::Pass if endpoint == Endpoint::ChatCompletions => {
                additions(call, route, arrived).map_or(Meter::None, |all| whole(Change::Add(all)))
            }
            Way::Pass => Meter::Answer(Box::new(AnswerMeter::new(endpoint))),
            Way::Rehost(_) => whole(Change::Rehost(Arc::clone(&route.upstream_model))),
            Way::Embed(api) => whole(Change::Embed(api)),
            Way::Count(api) => whole(Change::Count(api)),
            Way::Estimate => Meter::None,
            Way::Translate(client, vendor) => {
                let context = Box::new(answering(call, route, client, arrived));
                whole(Change::Translate { client, vendor, context, stream: call.stream() })
            }
        };
    }
    let framing = route.provider.framing(way);
    Meter::Stream(Box::new(match way {
        Way::Pass | Way::Embed(_) | Way::Count(_) | Way::Estimate => {
            let wanted = call.wishes.metadata && endpoint == Endpoint::ChatCompletions;
            let all = if wanted { additions(call, route, arrived) } else { None };
            StreamAnswer::Pass(match all {
                Some(all) => StreamMeter::with_trailer(Box::new(move |facts, usage| {
                    all.trailer(facts, usage)
                })),
                None => StreamMeter::new(endpoint, plan::asks_usage(inbound, route, call.endpoint)),
            })
        }
        Way::Rehost(_) => StreamAnswer::Rehost(
            RehostStream::new(framing, Arc::clone(&route.upstream_model)),
            StreamMeter::new(endpoint, false),
        ),
        Way::Translate(client, vendor) => {
            let context = answering(call, route, client, arrived);
            StreamAnswer::Translate(StreamTranslator::new(vendor, framing, client, context))
        }
    }))
}

/// Whether the vendor is asked for a count of tokens, which the gateway can give where it does not.
pub fn counts(call: &Call) -> bool {
    let route = call.plan.as_deref().and_then(Plan::current);
    let way = route.zip(call.endpoint).and_then(|(route, endpoint)| route.way(endpoint));
    matches!(way, Some(Way::Count(_)))
}

/// Bedrock's count of the input
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>).
pub fn header_count(headers: &HeaderMap) -> Option<u64> {
    headers.get("x-amzn-bedrock-input-token-count")?.to_str().ok()?.parse().ok()
}

/// What a translated answer says that the vendor does not.
fn answering(call: &Call, route: &Route, client: ClientApi, arrived: Timestamp) -> Answering {
    Answering {
        seed: uuid::Uuid::new_v4().simple().to_string(),
        created: arrived.unix_seconds(),
        model: Arc::clone(&route.upstream_model),
        base_model: Arc::clone(&route.base_model),
        one_call: call.wishes.one_call,
        tool_names: call.wishes.tool_names.clone(),
        force_model: route.provider.platform != Platform::Own,
        // The body is let go of before the answer's end.
        echo: (client == ClientApi::Responses)
            .then(|| call.inbound.as_ref().map(|inbound| Arc::new(Echo::of(&inbound.body))))
            .flatten(),
        additions: (client == ClientApi::Chat).then(|| additions(call, route, arrived)).flatten(),
    }
}

/// The unified API's additions (contract 4.8).
fn additions(call: &Call, route: &Route, arrived: Timestamp) -> Option<Additions> {
    let (plan, inbound) = (call.plan.as_ref()?, call.inbound.as_ref()?);
    Some(Additions {
        requested_model: inbound.head.model_name.clone(),
        requested_provider: plan.pinned_provider().cloned(),
        used_provider: Arc::clone(&route.provider.name),
        underlying_used_model: Arc::clone(&route.upstream_model),
        failed: plan.attempts.clone(),
        rates: route.prices.at(arrived).map(|price| price.rates),
        selection: plan.choice_of(route).and_then(|choice| {
            Some(Selection { reason: choice.reason?.as_str(), score: choice.score? })
        }),
        smart_model: call.smart_model.clone(),
    })
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    [EVENT_STREAM, "application/vnd.amazon.eventstream"]
        .iter()
        .any(|kind| is_of_type(headers, kind))
}
