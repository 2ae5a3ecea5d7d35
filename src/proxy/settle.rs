//! Settle: what happened becomes a record, figures and a log line, exactly once.

use std::{borrow::Cow, sync::Arc};

use crate::{
    dialect::AnswerFacts,
    domain::{
        AttemptOutcome, CURRENCY, Cost, Position, PriceId, PriceSource, RecordId, Timestamp,
        TokenUsage, UsageRecord, UsageSource,
    },
    observe::RequestSample,
    route::{Failure, Plan},
    snapshot::Route,
};

use super::{
    attempt,
    ctx::{Call, Ctx, Lost, Meter, Stage},
    limits,
    shared::Shared,
    traced,
    unfinished::{self, Learnt},
};

/// Longest model name that is recorded, characters.
const MAX_MODEL: usize = 256;
/// Room for most records, bytes.
const TYPICAL_RECORD: usize = 1536;
/// The status of a request whose client left, as in nginx.
pub const CLIENT_CLOSED: u16 = 499;

/// How a request ended.
pub struct Outcome {
    /// None: what the vendor answered.
    pub status: Option<u16>,
    pub error_type: Option<String>,
    pub denied_by: Option<&'static str>,
    /// The end of the attempt under way, if one is.
    pub attempt: Option<Failure>,
}

impl Outcome {
    /// The vendor's answer went to the client.
    pub fn answered() -> Self {
        Self { status: None, error_type: None, denied_by: None, attempt: None }
    }

    /// The gateway answered on its own account.
    pub fn replied(status: u16, error_type: &str, denied_by: Option<&'static str>) -> Self {
        Self {
            status: Some(status),
            error_type: Some(error_type.to_owned()),
            denied_by,
            attempt: None,
        }
    }

    /// The client left.
    pub fn client_gone() -> Self {
        let attempt = Failure::of(AttemptOutcome::ClientGone, "the client left");
        Self {
            status: Some(CLIENT_CLOSED),
            error_type: Some("client_gone".to_owned()),
            denied_by: None,
            attempt: Some(attempt),
        }
    }

    /// A stream broke after it had begun.
    pub fn broken(failure: Failure) -> Self {
        let error_type = Some(failure.outcome.as_str().to_owned());
        Self { status: None, error_type, denied_by: None, attempt: Some(failure) }
    }
}

/// Settles the request. Later calls do nothing.
pub fn settle(ctx: &mut Ctx, outcome: Outcome) {
    let shared = Arc::clone(&ctx.shared);
    let (began, arrived) = (ctx.began, ctx.arrived);
    let Some(call) = ctx.call.as_mut().filter(|call| !call.settled) else { return };
    call.settled = true;
    let elapsed = began.elapsed();
    let outcome = told(call, outcome);
    end_attempt(call, &shared, &outcome);
    // Where no attempt was under way any more, its place is free by now.
    call.lease = None;
    let traced = call.traced.take();
    attempt::lose(call);
    let guessed = matches!(&call.attempt.meter, Meter::Whole(answer) if answer.estimated());
    let learnt = learnt(call);
    let left = outcome.status == Some(CLIENT_CLOSED);
    let most = (left && learnt.facts.usage.is_none())
        .then(|| unfinished::reserved(call, arrived))
        .flatten();
    let estimated = most.or_else(|| unfinished::usage(call, &learnt, left));
    let mut facts = learnt.facts;
    facts.usage = estimated.or(facts.usage);
    let bill = bill(call, facts.usage, arrived);
    facts.usage = with_lost(&call.lost, facts.usage);
    let reservation = call.reservation.take();
    let mut record = record(call, arrived, &outcome, &facts, bill);
    record.latency_ms = millis(elapsed);
    if guessed || estimated.is_some() {
        record.usage_source = Some(UsageSource::Estimated);
    }
    if let Some(reason) = outcome.denied_by {
        shared.metrics.denied(reason);
    }
    traced::settle(&shared, traced.as_deref(), &record, (arrived, elapsed));
    shared.metrics.request(&sample(call, &record, &facts, elapsed.as_secs_f64()));
    let position = keep(call, &shared, &record);
    limits::settle(&shared, reservation, &record, position, most.is_some());
}

/// Keeps the record and logs it. Where it lies, if it is kept.
fn keep(call: &Call, shared: &Shared, record: &UsageRecord<'_>) -> Option<Position> {
    let mut json = Vec::with_capacity(TYPICAL_RECORD);
    record.write(&mut json);
    // The last room is for requests that were admitted, not for refusals.
    let wanted = record.denied_by.is_none() || shared.ledger.accepts();
    let kept = wanted.then(|| shared.ledger.append(&json));
    if matches!(kept, Some(Err(_))) {
        tracing::error!(
            request_id = %record.request_id,
            "the usage spool is full: a record was lost"
        );
    }
    let trace = call.trace.as_ref().map(|trace| trace.trace_id.as_str());
    shared.access.record(record, &json, trace);
    kept?.ok()
}

/// An answer that is the vendor's own error, or a stream that ended in one, says so in the record.
fn told(call: &Call, mut outcome: Outcome) -> Outcome {
    if outcome.error_type.is_none() {
        let failed =
            matches!(&call.attempt.meter, Meter::Stream(meter) if meter.failed().is_some());
        outcome.error_type = if call.attempt.stage == Stage::Cut || failed {
            Some("stream_error".to_owned())
        } else if status(call, &outcome) >= 400 {
            Some("client_error".to_owned())
        } else {
            None
        };
    }
    outcome
}

/// What the client was told.
fn status(call: &Call, outcome: &Outcome) -> u16 {
    outcome.status.or(call.attempt.told).or(call.attempt.status).unwrap_or(200)
}

/// Closes the trail with the attempt that was under way.
fn end_attempt(call: &mut Call, shared: &Shared, outcome: &Outcome) {
    let Some(route) = call.plan.as_deref().and_then(Plan::current).cloned() else { return };
    let ended = match (&outcome.attempt, call.attempt.status) {
        (Some(failure), status) => Failure { status: failure.status.or(status), ..failure.clone() },
        (None, Some(status)) if outcome.status.is_none() => {
            let class = if status >= 400 {
                AttemptOutcome::ClientError
            } else if outcome.error_type.is_some() {
                AttemptOutcome::UpstreamError
            } else {
                AttemptOutcome::Ok
            };
            Failure { status: Some(status), ..Failure::of(class, "") }
        }
        _ => return,
    };
    traced::ended(call, &ended);
    attempt::end(call, shared, &route, &ended);
    if let Some(plan) = call.plan.as_mut() {
        plan.note(&ended);
    }
}

fn learnt(call: &mut Call) -> Learnt {
    match std::mem::take(&mut call.attempt.meter) {
        Meter::None | Meter::Error(_) => Learnt::default(),
        Meter::Answer(mut meter) => {
            let said = (!meter.is_error()).then(|| meter.said());
            Learnt { said, facts: meter.finish() }
        }
        Meter::Whole(answer) => Learnt { said: answer.said(), facts: answer.facts() },
        Meter::Stream(meter) => {
            let facts = meter.facts();
            // The rest of the stream, if any, still has to be framed.
            call.attempt.meter = Meter::Stream(meter);
            Learnt { facts, said: None }
        }
    }
}

fn record<'a>(
    call: &'a Call,
    ts: Timestamp,
    outcome: &'a Outcome,
    facts: &'a AnswerFacts,
    bill: Bill,
) -> UsageRecord<'a> {
    let principal = call.principal.as_ref().or(call.key_owner.as_ref()).map(|of| &**of);
    let plan = call.plan.as_deref();
    let route = plan.and_then(Plan::last);
    let usage = facts.usage.unwrap_or_default();
    let cost = bill.cost;
    let requested = call.inbound.as_ref().map(|inbound| inbound.head.model_name.as_str());
    UsageRecord {
        id: RecordId::random(),
        ts,
        org_id: principal.map(|principal| principal.org),
        api_key_id: principal.and_then(|principal| principal.key),
        user_id: principal.and_then(|principal| principal.user),
        group_names: principal.map_or(&[][..], |principal| &principal.groups).into(),
        endpoint: call.endpoint,
        requested_model: requested.map(shortened),
        alias: call.alias.as_deref().map(Cow::Borrowed),
        smart_model: call.smart_name.as_deref().map(Cow::Borrowed),
        provider_id: route.map(|route| route.provider.id),
        provider_name: route.map(|route| (&*route.provider.name).into()),
        upstream_model: route.map(|route| (&*route.upstream_model).into()),
        used_model: facts.model.as_deref().map(Cow::Borrowed),
        status: status(call, outcome),
        error_type: outcome.error_type.as_deref().map(Cow::Borrowed),
        denied_by: outcome.denied_by.map(Cow::Borrowed),
        throttled_by: call.throttled_by.as_deref().map(Cow::Borrowed),
        stream: call.stream(),
        input_tokens: usage.input,
        output_tokens: usage.output,
        cache_read_tokens: usage.cache_read,
        cache_write_tokens: usage.cache_write,
        reasoning_tokens: usage.reasoning,
        usage_source: facts.usage.map(|_| UsageSource::Reported),
        cost_input: cost.map(|cost| cost.input),
        cost_output: cost.map(|cost| cost.output),
        cost_total: cost.map(|cost| cost.total()),
        currency: cost.map(|_| CURRENCY.into()),
        pricing_rule_id: bill.rule,
        pricing_source: bill.source,
        latency_ms: 0,
        ttfb_ms: call.first_byte.map(millis),
        attempts: plan.map_or(&[][..], |plan| &plan.attempts).into(),
        retry_count: plan.map_or(0, |plan| plan.retry_count),
        retry_sleep_ms: plan.map_or(0, |plan| millis(plan.retry_sleep)),
        request_id: (&*call.id).into(),
        client: call.client.as_deref().map(Cow::Borrowed),
    }
}

/// What a request cost, and who says so.
#[derive(Clone, Copy, Default)]
struct Bill {
    cost: Option<Cost>,
    rule: Option<PriceId>,
    source: Option<PriceSource>,
}

impl Bill {
    /// Both together; the first says by which price.
    fn and(self, other: Self) -> Self {
        let cost = match (self.cost, other.cost) {
            (Some(one), Some(two)) => {
                Some(Cost { input: one.input.plus(two.input), output: one.output.plus(two.output) })
            }
            (one, two) => one.or(two),
        };
        let said = if self.rule.is_some() { &self } else { &other };
        Self { cost, rule: said.rule, source: said.source.or(self.source) }
    }
}

/// Bills the tokens at the prices that were in force when the request arrived: each route's its own.
fn bill(call: &Call, usage: Option<TokenUsage>, at: Timestamp) -> Bill {
    let route = call.plan.as_deref().and_then(Plan::last);
    let answer = route.zip(usage).map(|(route, usage)| billed(route, usage, at));
    let lost = call.lost.iter().map(|lost| billed(&lost.route, lost.usage(), at));
    answer.into_iter().chain(lost).reduce(Bill::and).unwrap_or_default()
}

/// What was reported of the answer, and of the calls that came to nothing.
fn with_lost(lost: &[Lost], usage: Option<TokenUsage>) -> Option<TokenUsage> {
    lost.iter().fold(usage, |sum, lost| {
        let mut sum = sum.unwrap_or_default();
        sum.input = sum.input.saturating_add(lost.tokens);
        Some(sum)
    })
}

fn billed(route: &Route, usage: TokenUsage, at: Timestamp) -> Bill {
    match route.prices.at(at) {
        Some(price) => Bill {
            cost: Some(price.rates.cost(&usage)),
            rule: Some(price.rule),
            source: Some(price.source),
        },
        None => Bill { source: Some(PriceSource::None), ..Bill::default() },
    }
}

/// The start of a model's name, however long it is.
fn shortened(name: &str) -> Cow<'_, str> {
    let end = name.char_indices().nth(MAX_MODEL).map_or(name.len(), |(end, _)| end);
    name.get(..end).unwrap_or(name).into()
}

/// Labels are names from the configuration; whatever a client made up is `other`.
fn sample<'a>(
    call: &'a Call,
    record: &'a UsageRecord<'_>,
    facts: &AnswerFacts,
    seconds: f64,
) -> RequestSample<'a> {
    RequestSample {
        endpoint: call.endpoint.map_or("other", |endpoint| endpoint.as_str()),
        alias: record.alias.as_deref().unwrap_or("other"),
        provider: record.provider_name.as_deref().unwrap_or("other"),
        upstream_model: record.upstream_model.as_deref().unwrap_or("other"),
        status: record.status,
        seconds,
        ttfb_seconds: call.first_byte.map(|time| time.as_secs_f64()),
        tokens: facts.usage.unwrap_or_default(),
        cost_total: record.cost_total,
    }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Drop for Ctx {
    /// A request that no phase ended (its task was dropped, or a filter panicked) is recorded too.
    fn drop(&mut self) {
        let mut outcome = Outcome::client_gone();
        outcome.error_type = Some("aborted".to_owned());
        settle(self, outcome);
    }
}
