//! `POST /v1/responses`: <https://developers.openai.com/api/reference/resources/responses>.

mod events;
mod object;

use http::StatusCode;
use serde_json::Value;

use self::object::Frame;
use super::{
    answer::Answer,
    ask::{Ask, Format},
    fields::Fields,
    prompt::Prompt,
    refusal::{Fault, Refusal},
    reply::Limits,
    tools::{Choice, Tool},
};
use crate::domain::Timestamp;

/// Answers a response.
pub fn answer(body: &Value, now: Timestamp) -> Result<Answer, Refusal> {
    let fields = Fields::of_body(body)?;
    let model = fields.text("model")?;
    refuse_memory(fields)?;
    let ask = read(fields)?;
    let output = ask.output()?;
    let frame = Frame::new(fields, model, now, &ask);
    if fields.flag("stream")? {
        Ok(Answer::Events(events::events(&frame, &output)))
    } else {
        Ok(Answer::Whole(frame.finished(&output)))
    }
}

/// The sandbox keeps nothing between requests.
fn refuse_memory(fields: Fields<'_>) -> Result<(), Refusal> {
    if let Some(id) = fields.optional_text("previous_response_id")? {
        let message =
            format!("Previous response with id '{id}' not found: the sandbox keeps no responses.");
        let code = Some("previous_response_not_found");
        let refusal = Refusal::new(StatusCode::BAD_REQUEST, Fault::Invalid, code, message);
        return Err(Refusal { param: Some("previous_response_id".to_owned()), ..refusal });
    }
    if fields.flag("background")? {
        return Err(fields.refuse("background", "is not supported: the sandbox keeps no responses"));
    }
    Ok(())
}

fn read(fields: Fields<'_>) -> Result<Ask, Refusal> {
    fields.number("temperature", 0.0..=2.0)?;
    let definitions = fields.optional_array("tools")?;
    let tools = definitions.iter().enumerate().map(|(index, tool)| {
        let path = format!("tools[{index}]");
        let fields = Fields::of(tool, &path)?;
        // Tools that the vendor itself runs (web search, file search, …) have nothing to call here.
        if fields.text("type")? == "function" {
            Tool::read(fields, "parameters").map(Some)
        } else {
            Ok(None)
        }
    });
    let tools = tools.collect::<Result<Vec<_>, Refusal>>()?;
    let mut prompt = Prompt::of_input(fields.required("input")?)?;
    prompt.instruct(fields.get("instructions"), "instructions")?;
    prompt.define(definitions);
    Ok(Ask {
        prompt,
        format: read_format(fields)?,
        limits: Limits {
            max_tokens: fields.integer("max_output_tokens", 1..=u64::MAX)?,
            stops: Vec::new(),
        },
        tools: tools.into_iter().flatten().collect(),
        choice: read_choice(fields)?,
        parallel: fields.optional_flag("parallel_tool_calls")?.unwrap_or(true),
        thinks: thinks(fields)?,
    })
}

/// `reasoning`: <https://developers.openai.com/api/docs/guides/reasoning>.
fn thinks(fields: Fields<'_>) -> Result<bool, Refusal> {
    let Some(reasoning) = fields.get("reasoning") else { return Ok(false) };
    let effort = Fields::of(reasoning, "reasoning")?.optional_text("effort")?;
    Ok(effort.is_some_and(|effort| effort != "none"))
}

fn read_choice(fields: Fields<'_>) -> Result<Choice, Refusal> {
    match fields.get("tool_choice") {
        None => Ok(Choice::Auto),
        Some(Value::String(mode)) if mode == "auto" => Ok(Choice::Auto),
        Some(Value::String(mode)) if mode == "none" => Ok(Choice::Never),
        Some(Value::String(mode)) if mode == "required" => Ok(Choice::Required),
        Some(choice) => match choice.get("name").and_then(Value::as_str) {
            Some(name) => Ok(Choice::Named(name.to_owned())),
            None => Err(fields
                .refuse("tool_choice", "must be 'none', 'auto', 'required' or name a function")),
        },
    }
}

fn read_format(fields: Fields<'_>) -> Result<Format, Refusal> {
    let Some(text) = fields.get("text") else {
        return Ok(Format::Text);
    };
    let Some(format) = Fields::of(text, "text")?.get("format") else {
        return Ok(Format::Text);
    };
    let format = Fields::of(format, "text.format")?;
    match format.text("type")? {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::Object),
        "json_schema" => {
            format.text("name")?;
            Ok(Format::Schema(format.required("schema")?.clone()))
        }
        _ => Err(format.refuse("type", "must be 'text', 'json_object' or 'json_schema'")),
    }
}
