//! Smart models: names for which a model, the determiner, chooses among slots before a request is planned
//! (spec/behaviour 21.1).

use std::sync::Arc;

use pingora_proxy::Session;

use super::{
    ctx::{Ctx, Inbound},
    determiner::{self, Asked, Asker},
    limits,
    refusal::{self, Refusal},
    traced,
};
use crate::{
    auth::Principal,
    domain::{Endpoint, TEXT_BYTES_PER_TOKEN},
    policy::{self, Selected},
    route,
    snapshot::{OrgSnapshot, Route, SmartModel},
    translate::{
        self, ClientApi, SmartChoice,
        form::{PartKind, Request, Role},
    },
};

/// Chooses, where the request names a smart model. `Err(None)`: the client left meanwhile.
pub async fn choose(
    session: &mut Session,
    ctx: &Ctx,
    principal: &Arc<Principal>,
    org: &Arc<OrgSnapshot>,
    inbound: &Inbound,
    endpoint: Endpoint,
) -> Result<Option<SmartChoice>, Option<Refusal>> {
    let Some(model) = named(ctx, org, &inbound.head.model_name) else { return Ok(None) };
    if !model.enabled {
        return Err(Some(refusal::model_disabled(&model.alias)));
    }
    let heard = listen(endpoint, &inbound.body, model);
    let floor = policy::floor_slot(&model.context_breakpoints, heard.tokens);
    let selected = if let Some(forced) = policy::forced_slot(model.slots.len(), floor) {
        forced
    } else {
        // Boxed: what is rarely waited for should not make every request's future large.
        let asking = Box::pin(ask(session, ctx, principal, org, model, heard.text));
        let default = usize::try_from(model.default_slot).unwrap_or_default();
        policy::select_slot(asking.await?, default, floor)
    };
    ctx.shared.metrics.smart_choice(selected.reason.as_str());
    Ok(choice(model, selected))
}

/// The smart model of a name, unless a route has the name, or the gateway itself asks: a determiner that
/// were a smart model could ask without end.
fn named<'o>(ctx: &Ctx, org: &'o OrgSnapshot, name: &str) -> Option<&'o SmartModel> {
    let asks_itself = ctx.call.as_ref().is_some_and(|call| call.determiner);
    let model = org.smart.get(name).filter(|_| !asks_itself && !org.aliases.contains_key(name))?;
    Some(model)
}

fn choice(model: &SmartModel, selected: Selected) -> Option<SmartChoice> {
    let slot = model.slots.get(selected.slot)?;
    Some(SmartChoice {
        slot: selected.slot,
        model_alias: Arc::clone(&slot.alias),
        reason: selected.reason.as_str(),
    })
}

/// What the determiner says; none where there is nothing to be asked, no answer, or a caller who will be
/// refused whatever it says. `Err(None)`: the client left, and the question with it.
async fn ask(
    session: &mut Session,
    ctx: &Ctx,
    principal: &Arc<Principal>,
    org: &Arc<OrgSnapshot>,
    model: &SmartModel,
    text: Option<String>,
) -> Result<Option<usize>, Option<Refusal>> {
    let (Some(text), Some(call)) = (text, ctx.call.as_deref()) else { return Ok(None) };
    let aliases = model.slots.iter().filter_map(|slot| route::resolve(org, &slot.alias));
    let routes: Vec<Arc<Route>> =
        aliases.flat_map(|resolution| resolution.routes().to_vec()).collect();
    let wanted = limits::Wanted { name: &model.alias, routes: &routes };
    if limits::refuses(&ctx.shared, principal, org, ctx.arrived, &wanted).await {
        return Ok(None);
    }
    let traceparent = traced::below_request(call);
    let asker = Asker { principal, request_id: &call.id, traceparent };
    let asked = Asked { org, model, text: &text };
    tokio::select! {
        said = determiner::ask(&ctx.shared, &asker, &asked) => Ok(said),
        _ = session.downstream_session.read_body_or_idle(true) => Err(None),
    }
}

/// What is known of a request before anyone is asked.
struct Heard {
    tokens: i64,
    /// What the determiner is shown; none where there is nothing to be judged.
    text: Option<String>,
}

/// Reads a request as far as a choice depends on it. One that cannot be read is the vendor's to refuse.
fn listen(endpoint: Endpoint, body: &[u8], model: &SmartModel) -> Heard {
    let request = match endpoint {
        // To count is no request for an answer: nobody is asked who could answer it best.
        Endpoint::CountTokens => translate::read_countable(body).ok(),
        _ => ClientApi::of(endpoint).and_then(|api| api.read(body).ok()),
    };
    let Some(request) = request else {
        let tokens = (body.len() as u64).div_ceil(TEXT_BYTES_PER_TOKEN);
        return Heard { tokens: signed(tokens), text: None };
    };
    let most = usize::try_from(model.input_max_chars).unwrap_or(usize::MAX);
    let text = (endpoint != Endpoint::CountTokens)
        .then(|| policy::last_texts(user_texts(&request), most))
        .filter(|text| !text.is_empty());
    Heard { tokens: signed(translate::guess(&request)), text }
}

fn signed(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

/// What the user wrote, the newest first: neither what tools answered nor what files hold.
fn user_texts<'r>(request: &'r Request<'_>) -> impl Iterator<Item = &'r str> {
    let turns = request.turns.iter().rev().filter(|turn| turn.role == Role::User);
    turns.flat_map(|turn| turn.parts.iter().rev()).filter_map(|part| match &part.kind {
        PartKind::Text(words) => Some(&**words),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn heard(endpoint: Endpoint, body: &Value) -> Heard {
        let model = SmartModel {
            alias: "auto".into(),
            enabled: true,
            description: None,
            determiner: "judge".into(),
            slots: Box::default(),
            context_breakpoints: Box::default(),
            input_max_chars: 12,
            default_slot: 0,
            created: 0,
        };
        listen(endpoint, body.to_string().as_bytes(), &model)
    }

    #[test]
    fn the_users_last_words_are_heard_in_every_dialect() {
        let said = json!([{"role": "user", "content": "a first word"},
            {"role": "assistant", "content": "an answer"}, {"role": "user", "content": "and more"}]);
        let last = Some("rd\n\nand more".to_owned());
        for (endpoint, body) in [
            (Endpoint::ChatCompletions, json!({"model": "auto", "messages": said})),
            (Endpoint::Messages, json!({"model": "auto", "max_tokens": 9, "messages": said})),
            (Endpoint::Responses, json!({"model": "auto", "input": said})),
        ] {
            assert_eq!(heard(endpoint, &body).text, last, "{endpoint:?}");
        }
        let body = json!({"model": "auto", "prompt": "Once upon a time"});
        let text = heard(Endpoint::Completions, &body).text;
        assert_eq!(text.as_deref(), Some(" upon a time"));
    }

    #[test]
    fn instructions_results_of_tools_and_pictures_are_not_shown() {
        let body = json!({"model": "auto", "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": [
                {"type": "text", "text": "what?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
            {"role": "assistant", "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": "r"}]});
        assert_eq!(heard(Endpoint::ChatCompletions, &body).text.as_deref(), Some("what?"));
    }

    #[test]
    fn what_is_no_conversation_is_sized_and_shown_to_nobody() {
        let embed =
            heard(Endpoint::Embeddings, &json!({"model": "auto", "input": "x".repeat(400)}));
        assert!(embed.text.is_none() && (100..120).contains(&embed.tokens), "{}", embed.tokens);
        let said = json!([{"role": "user", "content": "x".repeat(400)}]);
        let count = heard(Endpoint::CountTokens, &json!({"model": "auto", "messages": said}));
        assert!(count.text.is_none() && (100..120).contains(&count.tokens), "{}", count.tokens);
    }
}
