//! The body of an attempt: the client's own, the same in another envelope, or translated.

use std::{borrow::Cow, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::header;

use super::{
    bound,
    ctx::{Call, Fetched, Inbound},
    limits::Reservation,
    plan, refusal,
    shared::Media,
};
use crate::{
    domain::{Endpoint, ModelFacts},
    net::{Bounds, Fetcher},
    route::Plan,
    snapshot::{Route, Way},
    translate::{
        self, ClientApi, CountApi, EmbeddingApi, EmbeddingRequest, Platform, Target, ToolNames,
        VendorApi,
        form::{Media as Medium, Part, PartKind, Refusal, Request, Source, Text},
    },
    wire::{self, Changes, Spliced, Words},
};

/// What one medium may take (contract 2, `media.fetch`).
const MEDIUM: Bounds = Bounds { time: Duration::from_secs(10), bytes: 20 * 1024 * 1024 };
/// Media of one request that are fetched.
const MOST_MEDIA: usize = 20;

/// Makes the body that `route` is sent.
///
/// # Errors
/// When the route's model or vendor cannot do what the request asks.
pub async fn body(
    call: &mut Call,
    media: &Media,
    route: &Arc<Route>,
    betas: &[&str],
) -> Result<Spliced, Refusal> {
    let (Some(endpoint), Some(inbound)) = (call.endpoint, &call.inbound) else {
        return Ok(Spliced::default());
    };
    call.wishes.whole = false;
    capable(inbound, endpoint, &route.facts)?;
    let held = call.reservation.as_deref();
    let is_strict = held.is_some_and(|held| held.is_strict);
    match route.way(endpoint) {
        None | Some(Way::Pass | Way::Estimate) => {
            let body = plan::body_for(inbound, route, call.endpoint, held);
            Ok(unsealed(body, inbound, route, endpoint))
        }
        Some(Way::Rehost(platform)) => {
            let body = capped(inbound, endpoint, held).into();
            let body = unsealed(body, inbound, route, endpoint).joined();
            let body = translate::rehost_request(&body, platform, &route.base_model, betas)?;
            Ok(Bytes::from(body).into())
        }
        Some(Way::Embed(api)) => embedding(call, route, api).map(Spliced::from),
        Some(Way::Count(api)) => {
            counting(inbound, route, api, betas).map(|body| Bytes::from(body).into())
        }
        Some(Way::Translate(client, vendor)) => {
            let sent = capped(inbound, endpoint, held);
            let asked = Wanted { body: &sent, betas, is_strict };
            let write = |media: &[Fetched]| written(&asked, media, route, (client, vendor));
            let missing = match write(&call.media)? {
                Written::Body(written) => return Ok(kept(call, written).into()),
                Written::Missing(urls) => urls,
            };
            for url in missing {
                call.media.push(fetch(media, url).await?);
                make_room(call)?;
            }
            match write(&call.media)? {
                Written::Body(written) => Ok(kept(call, written).into()),
                Written::Missing(_) => Err(too_many()),
            }
        }
    }
}

/// The body without what another vendor has signed, for one that would refuse it.
fn unsealed(body: Spliced, inbound: &Inbound, route: &Route, endpoint: Endpoint) -> Spliced {
    // Reasoning items are there without a proof, too.
    let words = match endpoint {
        Endpoint::Responses => Words::PROOF.or(Words::REASONING),
        _ => Words::PROOF,
    };
    if !inbound.head.words.has(words) {
        return body;
    }
    let whole = body.joined();
    match translate::without_sealed(&whole, endpoint, &route.provider.vendor.quirks) {
        Cow::Borrowed(_) => body,
        Cow::Owned(cut) => Bytes::from(cut).into(),
    }
}

/// The client's body, with a limit of output in its own dialect where a strict budget sets one.
fn capped(inbound: &Inbound, endpoint: Endpoint, held: Option<&Reservation>) -> Bytes {
    let name = match endpoint {
        Endpoint::Responses => "max_output_tokens",
        Endpoint::ChatCompletions => "max_completion_tokens",
        _ => "max_tokens",
    };
    let changes = Changes {
        output_limit: bound::limit(inbound, held, name),
        no_negative_limits: held.is_some_and(|held| held.is_strict),
        ..Changes::default()
    };
    wire::rewrite(&inbound.body, &inbound.head, changes)
}

/// Accounts for the files that were fetched, as for the body itself: each is there, and in the body that is
/// written.
fn make_room(call: &mut Call) -> Result<(), Refusal> {
    let files: usize = call.media.iter().map(|file| file.base64.len()).sum();
    let Some(inbound) = call.inbound.as_mut() else { return Ok(()) };
    let both = 2 * (inbound.body.len() + files) as u64;
    inbound.room.grow(both).map_err(|_| {
        // Soon over, and no fault of the route's or the caller's.
        call.callers_fault = Some(refusal::no_room());
        Refusal::invalid("messages", "there is no room for the request's files")
    })
}

/// The next of the bodies that a request for embeddings becomes.
fn embedding(call: &mut Call, route: &Arc<Route>, api: EmbeddingApi) -> Result<Bytes, Refusal> {
    let Some(inbound) = &call.inbound else { return Ok(Bytes::new()) };
    if call.series.bodies.is_empty() {
        let request = EmbeddingRequest::read(&inbound.body)?;
        let bodies = api.write(&request, &route.base_model)?;
        call.series.bodies = bodies.into_iter().map(Bytes::from).collect();
        call.series.on = Some((Arc::clone(route), api));
    }
    let next = call.series.bodies.get(call.series.answers.len());
    Ok(next.cloned().unwrap_or_default())
}

fn counting(
    inbound: &Inbound,
    route: &Route,
    api: CountApi,
    betas: &[&str],
) -> Result<Vec<u8>, Refusal> {
    let target = target(route);
    if matches!(api, CountApi::AnthropicBedrock | CountApi::AnthropicVertex) {
        return api.wrap(&inbound.body, &target, betas);
    }
    let mut request = translate::read_countable(&inbound.body)?;
    request.betas = betas.to_vec();
    api.write(request, &target)
}

/// How many tokens the gateway thinks that a request is.
///
/// # Errors
/// When the request cannot be read.
pub fn estimate(body: &[u8]) -> Result<u64, Refusal> {
    Ok(translate::estimate(&translate::read_countable(body)?))
}

/// The count of tokens, where the plan stands before a vendor that does not count.
///
/// # Errors
/// When the request cannot be read.
pub async fn estimated(call: &Call) -> Result<Option<Bytes>, refusal::Refusal> {
    let (Some(endpoint), Some(inbound)) = (call.endpoint, &call.inbound) else { return Ok(None) };
    let route = call.plan.as_deref().and_then(Plan::current);
    if route.and_then(|route| route.way(endpoint)) != Some(Way::Estimate) {
        return Ok(None);
    }
    // A tokenizer takes its time, which other requests of this thread do not have.
    let body = inbound.body.clone();
    let count = tokio::task::spawn_blocking(move || estimate(&body)).await;
    let count = count.map_err(|_| refusal::unavailable("tokenizer", "tokens cannot be counted"))?;
    let count = count.map_err(refusal::incapable)?;
    Ok(Some(translate::count_answer(count, true).into()))
}

fn target(route: &Route) -> Target<'_> {
    let platform = route.provider.platform;
    Target {
        // On Bedrock the path has the id, and bodies differ by the model that it stands for.
        model: match platform {
            Platform::Bedrock => &route.base_model,
            Platform::Own | Platform::Vertex => &route.upstream_model,
        },
        facts: &route.facts,
        platform,
        quirks: &route.provider.vendor.quirks,
    }
}

/// A translated body, or the addresses whose bytes it lacks.
enum Written {
    Body(Translated),
    Missing(Vec<String>),
}

struct Translated {
    body: Vec<u8>,
    /// The client wants one call of a tool at most.
    one_call: bool,
    /// What the vendor is told otherwise of the client's tools.
    tool_names: ToolNames,
    /// The vendor is asked for a whole answer, which becomes the client's stream.
    whole: bool,
}

/// The body; what its answer needs is kept.
fn kept(call: &mut Call, written: Translated) -> Bytes {
    call.wishes.one_call = written.one_call;
    call.wishes.tool_names = written.tool_names;
    call.wishes.whole = written.whole;
    written.body.into()
}

fn capable(inbound: &Inbound, endpoint: Endpoint, facts: &ModelFacts) -> Result<(), Refusal> {
    let Some(api) = ClientApi::of(endpoint) else { return Ok(()) };
    if api == ClientApi::Responses {
        translate::check_background(&inbound.body, &inbound.head)?;
    }
    if facts.capabilities.is_none() && facts.max_output_tokens.is_none() {
        return Ok(());
    }
    translate::check(api, &inbound.body, &inbound.head, facts)
}

/// What a body is written from.
struct Wanted<'w> {
    /// The client's body.
    body: &'w [u8],
    /// Those of its header.
    betas: &'w [&'w str],
    /// Its limit of output is all that may be used.
    is_strict: bool,
}

fn written(
    wanted: &Wanted<'_>,
    media: &[Fetched],
    route: &Route,
    (client, vendor): (ClientApi, VendorApi),
) -> Result<Written, Refusal> {
    let provider = &route.provider;
    let mut request = client.read(wanted.body)?;
    request.limit_is_firm = wanted.is_strict;
    request.betas = wanted.betas.to_vec();
    let mut missing: Vec<String> = Vec::new();
    each_medium(&mut request, vendor, provider.platform, &mut |medium| {
        let Source::Url(url) = &medium.source else { return };
        if let Some(found) = media.iter().find(|known| known.url == **url) {
            medium.source = Source::Base64(Text::from(&*found.base64));
            medium.mime = medium.mime.take().or_else(|| found.mime.as_deref().map(Text::from));
        } else if !missing.iter().any(|known| *known == **url) {
            missing.push((**url).to_owned());
        }
    });
    if missing.len() + media.len() > MOST_MEDIA {
        return Err(too_many());
    }
    if !missing.is_empty() {
        return Ok(Written::Missing(missing));
    }
    let one_call = request.parallel_tool_calls == Some(false);
    let target = target(route);
    let tool_names = vendor.tool_names(&request, &target);
    let body = vendor.write(request, &target)?;
    let whole = !vendor.streams(&body, &route.facts);
    Ok(Written::Body(Translated { body, one_call, tool_names, whole }))
}

fn too_many() -> Refusal {
    let message = format!(
        "this model's vendor takes no URLs, and at most {MOST_MEDIA} files are fetched for a request; \
         send the others as data URLs"
    );
    Refusal::invalid("messages", message)
}

/// Visits what the vendor wants in the body itself.
fn each_medium<'a>(
    request: &mut Request<'a>,
    vendor: VendorApi,
    platform: Platform,
    visit: &mut dyn FnMut(&mut Medium<'a>),
) {
    let parts = request.turns.iter_mut().flat_map(|turn| &mut turn.parts);
    parts.for_each(|part| each_in_part(part, vendor, platform, visit));
}

fn each_in_part<'a>(
    part: &mut Part<'a>,
    vendor: VendorApi,
    platform: Platform,
    visit: &mut dyn FnMut(&mut Medium<'a>),
) {
    let inlines = vendor.inlines(platform, &part.kind);
    match &mut part.kind {
        PartKind::Image(medium) | PartKind::Audio(medium) | PartKind::Document(medium)
            if inlines =>
        {
            visit(medium);
        }
        PartKind::ToolResult(result) => {
            result.parts.iter_mut().for_each(|inner| each_in_part(inner, vendor, platform, visit));
        }
        _ => {}
    }
}

async fn fetch(media: &Media, url: String) -> Result<Fetched, Refusal> {
    let refused = |why: &str| {
        Refusal::invalid(
            "messages",
            format!(
                "this model's vendor takes no URLs, and a file of the request {why}; send it as a \
                 data URL"
            ),
        )
    };
    let Some(fetcher) = media.0.as_ref() else {
        return Err(refused("is not fetched (media.fetch = \"off\")"));
    };
    if !url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://")) {
        return Err(refused("has an address that is not https"));
    }
    fetched(fetcher, url).await.map_err(|why| refused(&why))
}

async fn fetched(fetcher: &Fetcher, url: String) -> Result<Fetched, String> {
    let answer = fetcher.get(&url, MEDIUM).await;
    let answer = answer.map_err(|error| format!("cannot be fetched: {error}"))?;
    if !answer.status().is_success() {
        return Err(format!("cannot be fetched: its host answers {}", answer.status().as_u16()));
    }
    let mime = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let mime = mime.and_then(|kind| kind.split(';').next()).map(|kind| kind.trim().to_lowercase());
    let mime = mime.filter(|kind| !kind.is_empty() && kind != "application/octet-stream");
    Ok(Fetched { url, mime, base64: STANDARD.encode(answer.body()) })
}
