//! Admit: who calls, what for, and is the request one that can be served. Nothing is sent yet.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use http::HeaderMap;
use pingora_error::Result;
use pingora_proxy::Session;

use super::{
    body::{self, BodyError, Room},
    ctx::{Call, Ctx, Inbound},
    framing, gate, identity, inside, limits, local, oauth, person,
    refusal::{self, Refusal},
    reply, smart, traced, translation, watched,
};
use crate::{
    auth::{KeyRefusal, Principal},
    dialect::models::{self, Model},
    domain::{ClientDialect, DETERMINER_CLIENT, Endpoint},
    route::{self, Plan},
    snapshot::{ListedModel, OrgSnapshot},
    translate::SmartChoice,
    wire::{
        self,
        headers::{X_API_KEY, X_BD_METADATA},
    },
};

/// Headers of one request may not be larger together, bytes.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// Longest `User-Agent` that is recorded, characters.
const MAX_CLIENT: usize = 256;

/// Admits a request. `true` means that it has been answered.
pub async fn admit(session: &mut Session, ctx: &mut Ctx) -> Result<bool> {
    let path = session.req_header().uri.path().to_owned();
    let Some(rest) = runtime_path(&path) else {
        return local::serve(session, ctx).await;
    };
    let endpoint = if path.starts_with("//") { None } else { endpoint_of(rest) };
    begin(session, ctx, endpoint, rest);
    let outcome = admitted(session, ctx, endpoint, rest).await;
    if let (Ok(Some(_)) | Err(Some(_)), Some(call)) = (&outcome, ctx.call.as_mut()) {
        limits::tell_standing(&ctx.shared, call);
    }
    match outcome {
        Ok(None) => Ok(false),
        Ok(Some(listing)) => reply::listing(session, ctx, listing).await,
        Err(Some(refusal)) => reply::refuse(session, ctx, refusal).await,
        Err(None) => reply::gone(session, ctx).await,
    }
}

/// What follows `/v1` on either mount; also where the path is misspelt with slashes too many, so that
/// whoever sent it is told so as a client of the runtime.
pub fn runtime_path(path: &str) -> Option<&str> {
    let path = path.trim_start_matches('/');
    let path = path.strip_prefix("api/llm-gateway/").unwrap_or(path);
    let rest = path.strip_prefix("v1")?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

fn endpoint_of(rest: &str) -> Option<Endpoint> {
    if rest.starts_with("/models/") {
        return Some(Endpoint::Models);
    }
    Endpoint::ALL.into_iter().find(|endpoint| endpoint.path() == rest)
}

/// The dialect of errors, known from the path even where it names no endpoint.
pub fn dialect_of(rest: &str) -> ClientDialect {
    if rest.starts_with("/messages") { ClientDialect::Anthropic } else { ClientDialect::OpenAi }
}

fn begin(session: &Session, ctx: &mut Ctx, endpoint: Option<Endpoint>, rest: &str) {
    let head = session.req_header();
    let commission = inside::commission(session);
    let determiner = commission.is_some();
    let client = head.headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok());
    // The determiner's name is the gateway's own: nobody else is recorded under it.
    let client = client.filter(|name| determiner || *name != DETERMINER_CLIENT);
    let id = identity::request_id(&head.headers);
    let trace = identity::Trace::read(&head.headers);
    let (trace, traced) = traced::begin(ctx.shared.traces.as_ref(), trace, &head.method, ctx.began);
    ctx.active = Some(ctx.shared.drain.enter());
    // Not by what differs from a new one: it is large, and would be copied once more.
    let mut call = Box::new(Call::new(id, dialect_of(rest), ctx.shared.metrics.in_flight()));
    call.trace = trace;
    call.traced = traced;
    call.client = client.map(|text| text.chars().take(MAX_CLIENT).collect());
    call.endpoint = endpoint;
    call.query = head.uri.query().map(str::to_owned);
    call.determiner = determiner;
    call.smart_name = commission.map(|commission| Arc::clone(&commission.smart_model));
    call.wishes.metadata = head.headers.get(&X_BD_METADATA).is_some_and(|value| value == "true");
    ctx.call = Some(call);
}

/// `Ok(None)`: on to the attempts. `Ok(Some)`: a listing to answer. `Err(None)`: the client left.
async fn admitted(
    session: &mut Session,
    ctx: &mut Ctx,
    endpoint: Option<Endpoint>,
    rest: &str,
) -> std::result::Result<Option<Bytes>, Option<Refusal>> {
    check_head(session)?;
    let principal = match inside::commission(session) {
        Some(commission) => Arc::clone(&commission.principal),
        None => match caller(session, ctx).await {
            Ok(principal) => principal,
            Err((refusal, owner)) => {
                if let Some(call) = ctx.call.as_mut() {
                    call.key_owner = owner;
                }
                return Err(Some(refusal));
            }
        },
    };
    if let Some(call) = ctx.call.as_mut() {
        call.principal = Some(Arc::clone(&principal));
    }
    let Some(endpoint) = endpoint else {
        return Err(Some(refusal::unknown_path(session.req_header().uri.path())));
    };
    check_method(session, endpoint)?;
    if endpoint == Endpoint::Models {
        return listing(ctx, &principal, rest).map(Some).map_err(Some);
    }
    if !ctx.shared.ledger.accepts() {
        return Err(Some(refusal::unavailable(
            "ledger_full",
            "usage records cannot be kept at the moment; try again",
        )));
    }
    check_content(&session.req_header().headers)?;
    let inbound = read(session, ctx, endpoint).await?;
    watched::answering(&session.downstream_session);
    planned(session, ctx, &principal, inbound, endpoint).await?;
    let Some(call) = ctx.call.as_mut() else { return Ok(None) };
    if let Some(estimated) = translation::estimated(call).await? {
        return Ok(Some(estimated));
    }
    call.gate = Some(gate::install(&mut session.downstream_session));
    Ok(None)
}

fn check_head(session: &Session) -> std::result::Result<(), Refusal> {
    if let Some(fault) = framing::fault(session) {
        return Err(refusal::bad_framing(fault));
    }
    let head = session.req_header();
    let size: usize =
        head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > MAX_HEADER_BYTES {
        return Err(refusal::headers_too_large(MAX_HEADER_BYTES));
    }
    Ok(())
}

fn check_method(session: &Session, endpoint: Endpoint) -> std::result::Result<(), Refusal> {
    let head = session.req_header();
    let allowed = endpoint.methods();
    if allowed.contains(&head.method.as_str()) {
        return Ok(());
    }
    Err(refusal::method_not_allowed(&allowed.join(" or ")))
}

/// Why a caller is nobody, and whose key it shows if that is known.
type Nobody = (Refusal, Option<Arc<Principal>>);

/// Whoever shows a session or a key.
async fn caller(session: &Session, ctx: &Ctx) -> std::result::Result<Arc<Principal>, Nobody> {
    match person::principal(session.req_header(), ctx).await {
        Some(person) => person.map_err(|refusal| (refusal, None)),
        None => authenticate(&session.req_header().headers, ctx).await,
    }
}

async fn authenticate(
    headers: &HeaderMap,
    ctx: &Ctx,
) -> std::result::Result<Arc<Principal>, Nobody> {
    let verdict = match token(headers) {
        Ok(token) => match ctx.shared.keys.cached(token) {
            Some(verdict) => verdict,
            None => ctx.shared.keys.verify(token).await,
        },
        Err(refusal) => Err(refusal),
    };
    verdict.map_err(|refused| {
        let refusal = match refused {
            KeyRefusal::Unavailable => refusal::unavailable("key_store", refused.message()),
            _ => refusal::invalid_api_key(refused.message()),
        };
        (refusal, refused.owner().cloned())
    })
}

/// The key: `x-api-key` first, else `Authorization: Bearer` (contract 3, seed 001).
fn token(headers: &HeaderMap) -> std::result::Result<&str, KeyRefusal> {
    if let Some(value) = headers.get(&X_API_KEY) {
        return value.to_str().map(str::trim).map_err(|_| KeyRefusal::Malformed);
    }
    let value = headers.get(http::header::AUTHORIZATION).ok_or(KeyRefusal::Missing)?;
    let text = value.to_str().map_err(|_| KeyRefusal::Malformed)?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(KeyRefusal::Malformed),
    }
}

/// `GET /v1/models`, or one entry of it.
fn listing(
    ctx: &Ctx,
    principal: &Arc<Principal>,
    rest: &str,
) -> std::result::Result<Bytes, Refusal> {
    let snapshot = ctx.shared.snapshot.load();
    let wanted = rest.strip_prefix("/models/");
    let Some(org) = snapshot.orgs.get(&principal.org) else {
        return wanted
            .map_or_else(|| Ok(models::listing([])), |id| Err(refusal::model_not_found(id)));
    };
    let held = ctx.shared.callers.held(org, principal);
    let mut usable = org.listing_for(&held.policies);
    match wanted {
        None => Ok(models::listing(usable.map(listed))),
        Some(id) => {
            let id = unescaped(id);
            usable
                .find(|model| model.id == *id)
                .map(|model| models::one(&listed(model)))
                .ok_or_else(|| refusal::model_not_found(&id))
        }
    }
}

/// Clients write the `/` of a `provider/model` as it is or as `%2F`.
fn unescaped(id: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(id).decode_utf8().unwrap_or(Cow::Borrowed(id))
}

fn listed(model: &ListedModel) -> Model<'_> {
    Model::new(&model.id, &model.owned_by, model.created)
}

fn check_content(headers: &HeaderMap) -> std::result::Result<(), Refusal> {
    if let Some(encoding) = headers.get(http::header::CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Err(refusal::unsupported_encoding());
    }
    let Some(kind) = headers.get(http::header::CONTENT_TYPE) else { return Ok(()) };
    let essence = kind.to_str().ok().and_then(|text| text.split(';').next()).map(str::trim);
    if essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    Err(refusal::unsupported_media_type())
}

async fn read(
    session: &mut Session,
    ctx: &Ctx,
    endpoint: Endpoint,
) -> std::result::Result<Box<Inbound>, Option<Refusal>> {
    let limits = ctx.shared.limits;
    let mut room = Room::none(&ctx.shared);
    let body = body::read(&mut session.downstream_session, &mut room).await;
    let body = body.map_err(|error| match error {
        BodyError::Gone => None,
        BodyError::Malformed => Some(refusal::bad_framing("the body's framing is not valid")),
        BodyError::TooLarge => Some(refusal::request_too_large(limits.max_body)),
        BodyError::TooSlow => Some(refusal::body_timeout()),
        BodyError::NoRoom => Some(refusal::no_room()),
    })?;
    // A rewrite may make a second one.
    let both = 2 * body.len() as u64;
    room.grow(both).map_err(|_| refusal::no_room())?;
    let head = wire::read_head(&body, endpoint).map_err(|error| refusal::bad_body(&error))?;
    Ok(Box::new(Inbound { body, head, room }))
}

/// Plans the request, and holds it to its limits. `Err(None)`: the client left.
async fn planned(
    session: &mut Session,
    ctx: &mut Ctx,
    principal: &Arc<Principal>,
    inbound: Box<Inbound>,
    endpoint: Endpoint,
) -> std::result::Result<(), Option<Refusal>> {
    let shared = Arc::clone(&ctx.shared);
    let org = shared.snapshot.load().orgs.get(&principal.org).cloned();
    let Some(org) = org else {
        return Err(Some(refusal::model_not_found(&inbound.head.model_name)));
    };
    let chosen = smart::choose(session, ctx, principal, &org, &inbound, endpoint).await;
    let headers = &session.req_header().headers;
    let model = &inbound.head.model_name;
    let (plan, choice) = match chosen {
        Ok(choice) => (Some(plan(ctx, &org, model, choice.as_ref(), endpoint, headers)), choice),
        Err(refusal) => (refusal.map(Err), None),
    };
    let arrived = ctx.arrived;
    let Some(call) = ctx.call.as_mut() else { return Ok(()) };
    // Recorded for a request that goes no further, too.
    let smart = choice.as_ref().and_then(|_| org.smart.get(&*inbound.head.model_name));
    call.smart_name = smart.map(|model| Arc::clone(&model.alias)).or(call.smart_name.take());
    call.inbound = Some(inbound);
    call.smart_model = choice;
    let plan = plan.ok_or(None)?;
    call.alias = plan.as_ref().ok().map(|plan| Arc::clone(plan.alias()));
    call.plan = Some(limits::admit(&shared, call, arrived, &org, plan).await?);
    Ok(())
}

fn plan(
    ctx: &Ctx,
    org: &OrgSnapshot,
    model: &str,
    choice: Option<&SmartChoice>,
    endpoint: Endpoint,
    headers: &HeaderMap,
) -> std::result::Result<Box<Plan>, Refusal> {
    let slot = choice.map(|choice| &*choice.model_alias);
    let Some(resolution) = route::resolve(org, slot.unwrap_or(model)) else {
        return Err(match slot {
            Some(slot) => refusal::slot_not_found(model, slot),
            None => refusal::model_not_found(model),
        });
    };
    let mut plan = Box::new(Plan::new(resolution, endpoint));
    plan.choose(&ctx.shared.routes, ctx.arrived, ctx.began);
    oauth::check(&plan, endpoint, headers)?;
    if plan.current().is_none() {
        return Err(refusal::endpoint_not_spoken(model, endpoint));
    }
    Ok(plan)
}
