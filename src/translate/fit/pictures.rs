//! Pictures that a model made: asked for where it can make them, and shown to others as the user's.

use crate::{
    domain::Capability,
    translate::{
        Target, VendorApi,
        form::{Part, PartKind, PartPath, Refusal, Request, Role, Turn},
    },
};

/// Said before media that stood in the model's own turn.
const MADE: &str = "This is what you made:";

/// Refuses to ask for pictures where nobody makes them.
pub(super) fn check(
    request: &Request<'_>,
    vendor: VendorApi,
    target: &Target<'_>,
) -> Result<(), Refusal> {
    let Some(wanted) = &request.pictures else { return Ok(()) };
    let param = &*wanted.param;
    if !target.facts.may(Capability::ImageOutput) {
        let message = format!(
            "Model {} does not make images. Leave `{param}` out or use a model that does.",
            target.model
        );
        return Err(Refusal::unsupported(param, message));
    }
    // OpenAI's own models make pictures through a tool of Responses alone.
    let makes = match vendor {
        VendorApi::Gemini => true,
        VendorApi::Chat => !target.quirks.openai_models,
        VendorApi::Responses | VendorApi::Messages | VendorApi::Converse => false,
    };
    if makes {
        return Ok(());
    }
    let message = format!("`{param}`: this model's vendor makes no images here; leave it out");
    Err(Refusal::unsupported(param, message))
}

const fn is_media(part: &Part<'_>) -> bool {
    matches!(part.kind, PartKind::Image(_) | PartKind::Audio(_) | PartKind::Document(_))
}

/// Whether the model's own turns have media and the vendor takes them in the user's alone: all but Gemini,
/// whose models make them.
pub(super) fn are_to_move(request: &Request<'_>, vendor: VendorApi) -> bool {
    let mut own = request.turns.iter().filter(|turn| turn.role == Role::Assistant);
    vendor != VendorApi::Gemini && own.any(|turn| turn.parts.iter().any(is_media))
}

/// Moves the media of the model's turns into the user's next one, behind the results of tools.
pub(super) fn move_to_user(request: &mut Request<'_>) {
    let mut turns = Vec::with_capacity(request.turns.len() + 1);
    let mut made: Vec<Part<'_>> = Vec::new();
    for mut turn in std::mem::take(&mut request.turns) {
        match turn.role {
            Role::Assistant => {
                let (media, rest): (Vec<_>, Vec<_>) = turn.parts.into_iter().partition(is_media);
                turn.parts = rest;
                made.extend(media);
                if turn.parts.is_empty() {
                    continue;
                }
            }
            Role::User if !made.is_empty() => {
                let is_result = |part: &Part<'_>| matches!(part.kind, PartKind::ToolResult(_));
                let at = turn.parts.iter().rposition(is_result).map_or(0, |last| last + 1);
                turn.parts.splice(at..at, announced(&mut made));
            }
            Role::User | Role::System | Role::Developer => {}
        }
        turns.push(turn);
    }
    if !made.is_empty() {
        turns.push(Turn { role: Role::User, name: None, parts: announced(&mut made) });
    }
    request.turns = turns;
}

fn announced<'a>(made: &mut Vec<Part<'a>>) -> Vec<Part<'a>> {
    let mut parts = vec![Part::new(PartKind::Text(MADE.into()), PartPath::default())];
    parts.append(made);
    parts
}
