//! What a vendor's API has no place for, made into what it has: names of tools, tools that take free text,
//! pictures that the model made. What comes back is called as the client calls it.

mod free_text;
mod penalties;
mod pictures;
mod search_results;
mod tool_names;

use std::collections::HashSet;

pub use tool_names::{Restoring, ToolNames};

use super::{
    ClientApi, Target, VendorApi,
    form::{Part, Refusal, Request, Role, ToolKind, Turn},
};

/// Makes the request one that `vendor` can take.
///
/// # Errors
/// When there is nothing to answer, two tools have one name, or something is asked for that the vendor
/// cannot do in any form.
pub fn fit(
    request: &mut Request<'_>,
    vendor: VendorApi,
    target: &Target<'_>,
) -> Result<(), Refusal> {
    check(request, vendor, target)?;
    search_results::tell(request, vendor, target);
    let names = ToolNames::of(request, vendor, target);
    if names.changes(request) {
        names.apply(request);
    }
    if pictures::are_to_move(request, vendor) {
        pictures::move_to_user(request);
    }
    Ok(())
}

fn check(request: &Request<'_>, vendor: VendorApi, target: &Target<'_>) -> Result<(), Refusal> {
    if !request.turns.iter().any(says_something) {
        let list = list(request.client);
        let message = format!("`{list}` says nothing that this model's vendor could answer");
        return Err(Refusal::invalid(list, message));
    }
    let mut seen = HashSet::with_capacity(request.tools.len());
    for (index, tool) in request.tools.iter().enumerate() {
        let (ToolKind::Function { name, .. } | ToolKind::Custom { name, .. }) = &tool.kind else {
            continue;
        };
        if !seen.insert(&**name) {
            let at = format!("tools[{index}]");
            let message = format!("`{at}`: there is another tool named `{}`", &**name);
            return Err(Refusal::invalid(at, message));
        }
        let grammar = matches!(&tool.kind, ToolKind::Custom { grammar: Some(_), .. });
        if grammar && !takes_custom(vendor, target) {
            let around = if request.client == Some(ClientApi::Chat) { ".custom" } else { "" };
            let at = format!("tools[{index}]{around}.format");
            let message = format!(
                "`{at}`: this model's vendor cannot hold a tool's text to a grammar; leave it out and \
                 say in `description` what the text must be"
            );
            return Err(Refusal::unsupported(at, message));
        }
    }
    penalties::check(request, target)?;
    pictures::check(request, vendor, target)
}

/// The member that has the conversation in the client's API.
pub const fn list(client: Option<ClientApi>) -> &'static str {
    match client {
        Some(ClientApi::Responses) => "input",
        Some(ClientApi::Completions) => "prompt",
        Some(ClientApi::Chat | ClientApi::Messages) | None => "messages",
    }
}

/// Whether a turn is of the conversation: the instructions beside it (`instructions`, `system`) are none.
fn says_something(turn: &Turn<'_>) -> bool {
    let in_conversation = |part: &Part<'_>| matches!(part.path.list, "messages" | "input");
    match turn.role {
        Role::System => turn.parts.iter().any(in_conversation),
        Role::Developer | Role::User | Role::Assistant => !turn.parts.is_empty(),
    }
}

/// Whether the vendor has tools that take free text.
fn takes_custom(vendor: VendorApi, target: &Target<'_>) -> bool {
    match vendor {
        VendorApi::Responses => true,
        VendorApi::Chat => target.quirks.custom_tools,
        VendorApi::Messages | VendorApi::Gemini | VendorApi::Converse => false,
    }
}

#[cfg(test)]
mod tests;
