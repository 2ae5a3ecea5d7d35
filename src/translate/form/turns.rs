//! Turns as vendors want them: instructions apart, the two sides in turn.

use super::{Part, PartKind, Request, Role, Turn};

/// All parts of system and developer turns, in order, and the turns that are left.
#[must_use]
pub fn split_system<'r, 'a>(request: &'r Request<'a>) -> (Vec<&'r Part<'a>>, Vec<&'r Turn<'a>>) {
    let is_system = |turn: &&Turn<'_>| matches!(turn.role, Role::System | Role::Developer);
    let (system, rest): (Vec<_>, Vec<_>) = request.turns.iter().partition(is_system);
    (system.into_iter().flat_map(|turn| &turn.parts).collect(), rest)
}

/// Neighbours of one role made one, so that user and assistant alternate; the results of tools first
/// in each user turn, as the calls' order has them. Empty texts and empty turns are left out: no vendor
/// that needs this takes them.
#[must_use]
pub fn alternating<'r, 'a>(turns: &[&'r Turn<'a>]) -> Vec<(Role, Vec<&'r Part<'a>>)> {
    let mut merged: Vec<(Role, Vec<&Part<'a>>)> = Vec::new();
    for turn in turns {
        let parts = turn.parts.iter().filter(|part| !is_empty(part));
        match merged.last_mut() {
            Some((role, all)) if *role == turn.role => all.extend(parts),
            _ => {
                let parts: Vec<_> = parts.collect();
                if !parts.is_empty() {
                    merged.push((turn.role, parts));
                }
            }
        }
    }
    for (role, parts) in &mut merged {
        if *role == Role::User {
            // Stable: results keep their order, and so does the rest.
            parts.sort_by_key(|part| !matches!(part.kind, PartKind::ToolResult(_)));
        }
    }
    merged
}

fn is_empty(part: &Part<'_>) -> bool {
    match &part.kind {
        PartKind::Text(text) | PartKind::Refusal(text) => text.trim().is_empty(),
        _ => false,
    }
}
