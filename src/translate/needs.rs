//! What a request needs of a model, and whether the model is known not to have it.

use super::{
    ClientApi,
    form::{Effort, Format, Part, PartKind, Refusal, Request, Role, ToolChoice, ToolKind},
};
use crate::{
    domain::{Capability, ModelFacts},
    wire::{
        Head, Words,
        members::{Member, members},
    },
};

/// Words of which one stands in every body that needs the capability: most bodies are known to need
/// nothing without being read.
const SIGNS: [(Capability, Words); 10] = [
    (Capability::Tools, Words::TOOLS.or(Words::TOOL_CHOICE)),
    (Capability::ParallelToolCalls, Words::PARALLEL_TOOL_CALLS),
    (Capability::Vision, Words::IMAGE),
    (Capability::Documents, Words::DOCUMENT),
    (Capability::Audio, Words::AUDIO),
    (Capability::Json, Words::JSON_OBJECT),
    (Capability::JsonSchema, Words::JSON_SCHEMA),
    (Capability::Reasoning, Words::REASONING),
    (Capability::ReasoningMaxTokens, Words::REASONING_TOKENS),
    (Capability::WebSearch, Words::WEB_SEARCH),
];

/// Refuses what the catalogue knows that the model cannot do (contract 4.6, 4.7). A body that cannot be read here is the vendor's to judge.
///
/// # Errors
/// The first feature that is missing.
pub fn check(api: ClientApi, body: &[u8], head: &Head, facts: &ModelFacts) -> Result<(), Refusal> {
    let name = &*head.model_name;
    if head.stream && !facts.may(Capability::Streaming) {
        let message = format!("Model {name} does not support streaming. Send `stream`: false.");
        return Err(Refusal::unsupported("stream", message));
    }
    output(head.output_limit, name, facts)?;
    let doubtful = SIGNS.iter().any(|(one, words)| head.words.has(*words) && !facts.may(*one));
    if !doubtful {
        return Ok(());
    }
    match api.read(body) {
        Ok(request) => check_request(&request, api, name, facts),
        Err(_) => Ok(()),
    }
}

/// Refuses a response in the background: it would be fetched later, from the vendor, to which callers have no way here,
/// and what it used would never be known. A stream of one tells.
///
/// # Errors
/// If the request, of Responses, asks for one.
pub fn check_background(body: &[u8], head: &Head) -> Result<(), Refusal> {
    let is_asked = |member: &Member| {
        let value = body.get(member.value.clone()).unwrap_or_default();
        member.is_named(body, "background") && !matches!(value, b"false" | b"null")
    };
    let asked = !head.stream
        && head.words.has(Words::BACKGROUND)
        && members(body).is_some_and(|members| members.iter().any(is_asked));
    if !asked {
        return Ok(());
    }
    let message = "`background` needs `stream`: true here, as a response cannot be fetched later. \
                   Leave it out, or ask for a stream.";
    Err(Refusal::unsupported("background", message))
}

fn check_request(
    request: &Request<'_>,
    api: ClientApi,
    name: &str,
    facts: &ModelFacts,
) -> Result<(), Refusal> {
    tools(request, name, facts)?;
    form(request, name, facts)?;
    reasoning(request, api, name, facts)?;
    let parts = request.turns.iter().filter(|turn| turn.role != Role::System);
    parts.flat_map(|turn| &turn.parts).try_for_each(|one| part(one, name, facts))
}

fn lacks(facts: &ModelFacts, one: Capability) -> bool {
    !facts.may(one)
}

fn tools(request: &Request<'_>, name: &str, facts: &ModelFacts) -> Result<(), Refusal> {
    let searches = request.tools.iter().any(|tool| matches!(tool.kind, ToolKind::WebSearch { .. }));
    if searches && lacks(facts, Capability::WebSearch) {
        let message = format!(
            "Model {name} does not support native web search. Remove the web search tool or use a \
             model that searches."
        );
        return Err(Refusal::unsupported("tools", message));
    }
    let calls = request.tools.iter().any(|tool| !matches!(tool.kind, ToolKind::WebSearch { .. }));
    let chooses = request
        .tool_choice
        .as_ref()
        .is_some_and(|choice| !matches!(choice, ToolChoice::Auto | ToolChoice::None));
    if (calls || chooses) && lacks(facts, Capability::Tools) {
        let message = format!(
            "Model {name} does not support tool calls. Remove the tools/tool_choice parameter or use \
             a tool-capable model."
        );
        return Err(Refusal::unsupported("tools", message));
    }
    Ok(())
}

fn form(request: &Request<'_>, name: &str, facts: &ModelFacts) -> Result<(), Refusal> {
    match &request.format {
        Some(Format::JsonSchema(_)) if lacks(facts, Capability::JsonSchema) => {
            let message = format!(
                "Model {name} does not support JSON schema output mode. Use response_format \
                 json_object, or a model that has it."
            );
            Err(Refusal::unsupported("response_format", message))
        }
        Some(Format::JsonObject)
            if lacks(facts, Capability::Json) && lacks(facts, Capability::JsonSchema) =>
        {
            let message = format!(
                "Model {name} does not support JSON output mode. Remove response_format or use a \
                 model that has it."
            );
            Err(Refusal::unsupported("response_format", message))
        }
        _ => Ok(()),
    }
}

fn reasoning(
    request: &Request<'_>,
    api: ClientApi,
    name: &str,
    facts: &ModelFacts,
) -> Result<(), Refusal> {
    // Messages know thinking by its budget: what a model has no budget for becomes its effort or level.
    let messages = api == ClientApi::Messages;
    let Some(reasoning) = request.reasoning.filter(|reasoning| !reasoning.is_off()) else {
        return Ok(());
    };
    // `adaptive` lets the model decide, and an effort alone is for all of the answer: hints that go where
    // they mean something. https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
    // https://platform.claude.com/docs/en/build-with-claude/effort
    if messages && reasoning.max_tokens.is_none() {
        return Ok(());
    }
    let bare = reasoning.effort.is_none_or(|effort| effort == Effort::None);
    if lacks(facts, Capability::Reasoning) {
        let param = if messages { "thinking" } else { "reasoning_effort" };
        let message = format!(
            "Model {name} does not support reasoning. Remove the {param} parameter or use a \
             reasoning-capable model."
        );
        return Err(Refusal::unsupported(param, message));
    }
    if reasoning.max_tokens.is_some()
        && bare
        && !messages
        && lacks(facts, Capability::ReasoningMaxTokens)
    {
        let message = format!(
            "Model {name} does not support reasoning.max_tokens. Use reasoning_effort instead."
        );
        return Err(Refusal::unsupported("reasoning.max_tokens", message));
    }
    Ok(())
}

fn output(asked: Option<u64>, name: &str, facts: &ModelFacts) -> Result<(), Refusal> {
    match asked.zip(facts.max_output_tokens) {
        Some((asked, most)) if asked > most => {
            let message = format!(
                "The effective max_tokens ({asked}) exceeds the maximum output tokens allowed for \
                 model {name} ({most})."
            );
            Err(Refusal::invalid("max_tokens", message))
        }
        _ => Ok(()),
    }
}

fn part(part: &Part<'_>, name: &str, facts: &ModelFacts) -> Result<(), Refusal> {
    let (one, what) = match &part.kind {
        PartKind::Image(_) => (Capability::Vision, "image"),
        PartKind::Document(_) => (Capability::Documents, "document"),
        PartKind::Audio(_) => (Capability::Audio, "audio"),
        PartKind::ToolResult(result) => {
            return result.parts.iter().try_for_each(|inner| self::part(inner, name, facts));
        }
        _ => return Ok(()),
    };
    if !lacks(facts, one) {
        return Ok(());
    }
    let message =
        format!("Model {name} does not support {what} input. Remove it or use a model that does.");
    Err(Refusal::unsupported(part.path.to_string(), message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Capabilities;

    fn facts(names: &[&'static str]) -> ModelFacts {
        let capabilities = Some(Capabilities::named(names.iter().copied()));
        ModelFacts { capabilities, ..ModelFacts::default() }
    }

    fn checked(body: &str, facts: &ModelFacts) -> Result<(), String> {
        let body = body.replacen('{', r#"{"model":"m","#, 1);
        let head =
            crate::wire::read_head(body.as_bytes(), crate::domain::Endpoint::ChatCompletions);
        let refused = check(ClientApi::Chat, body.as_bytes(), &head.unwrap(), facts);
        refused.map_err(|refusal| format!("{}: {}", refusal.code, refusal.message))
    }

    const PICTURE: &str = r#"{"messages":[{"role":"user","content":[
        {"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}]}]}"#;

    #[test]
    fn what_a_model_is_known_not_to_do_is_refused_by_name() {
        let refused = checked(PICTURE, &facts(&["streaming"])).unwrap_err();
        assert!(refused.starts_with("unsupported_parameter: Model m does not support image input"));
        let tools = r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f"}}]}"#;
        assert!(checked(tools, &facts(&["vision"])).unwrap_err().contains("tool calls"));
        let json = r#"{"messages":[],"response_format":{"type":"json_object"}}"#;
        assert!(checked(json, &facts(&["vision"])).unwrap_err().contains("JSON output mode"));
        let effort = r#"{"messages":[],"reasoning_effort":"low"}"#;
        assert!(checked(effort, &facts(&["vision"])).unwrap_err().contains("reasoning"));
    }

    #[test]
    fn what_messages_hint_at_is_no_need_and_what_they_ask_for_is() {
        let checked = |members: &str| {
            let said = r#""messages":[{"role":"user","content":"hi"}]"#;
            let body = format!(r#"{{"model":"m","max_tokens":9000,{said},{members}}}"#);
            let read = crate::wire::read_head(body.as_bytes(), crate::domain::Endpoint::Messages);
            let known = facts(&["streaming"]);
            check(ClientApi::Messages, body.as_bytes(), &read.unwrap(), &known)
        };
        for hint in [
            r#""thinking":{"type":"adaptive"}"#,
            r#""thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"max"}"#,
            r#""thinking":{"type":"disabled"}"#,
            r#""output_config":{"effort":"low"}"#,
        ] {
            assert!(checked(hint).is_ok(), "{hint}");
        }
        let asked = r#""thinking":{"type":"enabled","budget_tokens":2000}"#;
        assert_eq!(checked(asked).unwrap_err().param.as_deref(), Some("thinking"));
    }

    #[test]
    fn a_file_is_what_its_data_say() {
        for (data, what, others) in [
            ("data:image/png;base64,aGk=", "image", ["audio", "documents"]),
            ("data:audio/wav;base64,aGk=", "audio", ["vision", "documents"]),
            ("data:application/pdf;base64,aGk=", "document", ["vision", "audio"]),
        ] {
            let body = format!(
                r#"{{"messages":[{{"role":"user","content":[
                {{"type":"file","file":{{"file_data":"{data}"}}}}]}}]}}"#
            );
            let refused = checked(&body, &facts(&others)).unwrap_err();
            assert!(refused.contains(&format!("does not support {what} input")), "{refused}");
            assert_eq!(checked(&body, &facts(&["vision", "audio", "documents"])), Ok(()));
        }
    }

    #[test]
    fn what_it_can_do_passes_and_so_does_what_nobody_knows() {
        assert_eq!(checked(PICTURE, &facts(&["vision"])), Ok(()));
        assert_eq!(checked(PICTURE, &ModelFacts::default()), Ok(()));
    }

    #[test]
    fn words_of_the_prompt_need_nothing() {
        let words = r#"{"messages":[{"role":"user","content":"draw an image of \"tools\""}]}"#;
        assert_eq!(checked(words, &facts(&["streaming"])), Ok(()));
    }

    #[test]
    fn more_output_than_the_model_has_is_refused() {
        let limit = ModelFacts { max_output_tokens: Some(10), ..ModelFacts::default() };
        let asked = r#"{"messages":[],"max_tokens":11}"#;
        assert!(checked(asked, &limit).unwrap_err().contains("(11)"));
    }
}
