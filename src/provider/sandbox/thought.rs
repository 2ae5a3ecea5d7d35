//! What the sandbox thinks before it answers. Pure.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    prompt::Prompt,
    reply::{self, Limits},
    tools::Call,
};

/// Thinks, and takes what that costs off the limit.
pub fn before(prompt: &Prompt, calls: &[Call], limits: &mut Limits) -> String {
    let whole = compose(prompt, calls);
    let within = Limits { max_tokens: limits.max_tokens, stops: Vec::new() };
    let thought = reply::limit(&whole, &within).text;
    if let Some(most) = &mut limits.max_tokens {
        *most = most.saturating_sub(reply::tokens(&thought));
    }
    thought
}

fn compose(prompt: &Prompt, calls: &[Call]) -> String {
    let words = prompt.last.split_whitespace().count();
    let from = if prompt.tool_result { "a tool" } else { "the user" };
    let plan = match calls {
        [] => "nothing needs to be looked up, so I can answer at once".to_owned(),
        calls => {
            let names: Vec<&str> = calls.iter().map(|call| &*call.name).collect();
            format!("I need {}", names.join(" and "))
        }
    };
    let plural = if words == 1 { "word" } else { "words" };
    format!("The last message is from {from} and has {words} {plural}: {plan}.")
}

/// What a client has to give back with a thought. It proves nothing, and looks like what does.
pub fn signature(thought: &str) -> String {
    STANDARD.encode(thought)
}
