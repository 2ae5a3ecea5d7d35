//! What quickstart prints: where, what, and lines to paste.

use std::fmt::Write as _;

use super::provision::{Offer, Provisioned};

/// Stands where the key was shown by an earlier run.
const KEY_VARIABLE: &str = "$TURNPIKE_KEY";
/// Model names shown per provider.
const SHOWN_MODELS: usize = 4;

/// The text for a gateway that listens at `base`, such as `http://127.0.0.1:8080`; `console_link` signs
/// in to the console once.
#[must_use]
pub fn banner(provisioned: &Provisioned, base: &str, console_link: &str) -> String {
    let key = provisioned.key.as_ref().map_or(KEY_VARIABLE, |key| key.expose());
    let mut text = format!("Turnpike is listening on {base}\n\n");
    // Writing to a String cannot fail.
    let _infallible = write!(
        text,
        "Console, signed in (once, within 15 minutes): {console_link}\n\
         Another such link: {}\n\n",
        command("console-link", provisioned)
    );
    text.push_str(&about_key(provisioned));
    text.push_str("\nProviders and the models they answer to:\n");
    for offer in &provisioned.offers {
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "  {}", about_offer(offer));
    }
    text.push_str("\nTry it:\n\n");
    for line in examples(&provisioned.offers, base, key) {
        text.push_str(&line);
        text.push_str("\n\n");
    }
    let _infallible = write!(
        text,
        "OpenAI SDKs: base_url {base}/v1 · Anthropic SDKs: base_url {base}\n\
         Admin API: {base}/api/llm-gateway/admin, with a token from: {}\n",
        command("token", provisioned)
    );
    text
}

fn about_key(provisioned: &Provisioned) -> String {
    match &provisioned.key {
        Some(key) => format!("API key: {}\nIt is shown this once; keep it.\n", key.expose()),
        None => format!(
            "API key: shown on the first run. For the lines below: export TURNPIKE_KEY=bd-…\n\
             Lost it? POST {{\"name\":\"mine\"}} to /api/llm-gateway/user/api-keys makes another, \
             with a token from: {}\n",
            command("token", provisioned)
        ),
    }
}

fn command(name: &str, provisioned: &Provisioned) -> String {
    format!(
        "turnpike {name} --org {} --user {} --role admin",
        provisioned.org.name, provisioned.admin.subject
    )
}

fn about_offer(offer: &Offer) -> String {
    let simulated = if offer.simulated { " (simulated, needs no network)" } else { "" };
    let shown: Vec<&str> = offer.models.iter().take(SHOWN_MODELS).map(String::as_str).collect();
    let more = match offer.models.len().saturating_sub(SHOWN_MODELS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let models = if shown.is_empty() { "none by plain name".to_owned() } else { shown.join(", ") };
    format!("{}{simulated}: {models}{more}", offer.provider)
}

/// One line each, complete as it stands.
fn examples(offers: &[Offer], base: &str, key: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let simulated = offers.iter().find(|offer| offer.simulated);
    let embeds = |model: &&String| model.contains("embed");
    let chat = simulated.and_then(|offer| offer.models.iter().find(|model| !embeds(model)));
    if let Some(model) = chat {
        let ask = r#""messages":[{"role":"user","content":"Say hello"}]"#;
        lines.extend([
            post(base, key, "chat/completions", &format!(r#"{{"model":"{model}",{ask}}}"#), ""),
            post(
                base,
                key,
                "chat/completions",
                &format!(r#"{{"model":"{model}","stream":true,{ask}}}"#),
                "-N ",
            ),
            messages(base, key, &format!(r#"{{"model":"{model}","max_tokens":256,{ask}}}"#)),
        ]);
    }
    if let Some(model) = simulated.and_then(|offer| offer.models.iter().find(embeds)) {
        let body = format!(r#"{{"model":"{model}","input":"Hello"}}"#);
        lines.push(post(base, key, "embeddings", &body, ""));
    }
    lines.push(format!("curl {base}/v1/models -H \"Authorization: Bearer {key}\""));
    lines
}

fn post(base: &str, key: &str, path: &str, body: &str, option: &str) -> String {
    format!(
        "curl {option}{base}/v1/{path} -H \"Authorization: Bearer {key}\" \
         -H \"Content-Type: application/json\" -d '{body}'"
    )
}

fn messages(base: &str, key: &str, body: &str) -> String {
    format!(
        "curl {base}/v1/messages -H \"x-api-key: {key}\" -H \"anthropic-version: 2023-06-01\" \
         -H \"Content-Type: application/json\" -d '{body}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{OrgId, Timestamp, UserId},
        secrets::Secret,
        store::{OrgRow, UserRow},
    };

    const BASE: &str = "http://127.0.0.1:8080";
    const LINK: &str = "http://127.0.0.1:8080/auth/link?token=t";

    fn provisioned(key: Option<&str>) -> Provisioned {
        let org = OrgRow {
            id: OrgId::random(),
            name: "default".into(),
            created_at: Timestamp(0),
            revision: 0,
        };
        let admin = UserRow {
            id: UserId::random(),
            org_id: org.id,
            issuer: "turnpike".into(),
            subject: "admin".into(),
            email: None,
            roles: vec![],
            groups: vec![],
            groups_override: None,
            last_seen_at: Timestamp(0),
        };
        let offer = |provider: &str, simulated, models: &[&str]| Offer {
            provider: provider.into(),
            vendor: provider.into(),
            simulated,
            models: models.iter().map(|model| (*model).to_owned()).collect(),
        };
        let offers = vec![
            offer("openai", false, &["a", "b", "c", "d", "e", "f"]),
            offer("sandbox", true, &["sandbox-large", "sandbox-embedding"]),
        ];
        Provisioned { org, admin, key: key.map(|key| Secret::new(key.into())), offers }
    }

    fn curls(text: &str) -> Vec<&str> {
        text.lines().filter(|line| line.starts_with("curl ")).collect()
    }

    #[test]
    fn the_first_line_to_paste_is_a_chat_completion_and_all_are_complete() {
        let text = banner(&provisioned(Some("bd-secret")), BASE, LINK);
        let lines = curls(&text);
        assert!(lines[0].contains("/v1/chat/completions") && !lines[0].contains("stream"));
        for part in [r#""stream":true"#, "/v1/messages", "/v1/embeddings", "/v1/models"] {
            assert!(lines.iter().any(|line| line.contains(part)), "{part}");
        }
        for line in lines {
            assert!(line.contains("bd-secret"), "{line}");
            if let Some((_, body)) = line.split_once("-d '") {
                let body = body.strip_suffix('\'').unwrap();
                serde_json::from_str::<serde_json::Value>(body).unwrap();
            }
        }
    }

    #[test]
    fn a_second_run_prints_the_same_but_the_key() {
        let first = banner(&provisioned(Some("bd-secret")), BASE, LINK);
        let second = banner(&provisioned(None), BASE, LINK);
        assert!(!second.contains("bd-secret"));
        let anonymous = first.replace("bd-secret", KEY_VARIABLE);
        assert_eq!(curls(&anonymous), curls(&second));
        let tail = |text: &str| text.split_once("Providers").unwrap().1.to_owned();
        assert_eq!(tail(&anonymous), tail(&second));
    }

    #[test]
    fn long_lists_are_cut() {
        let text = banner(&provisioned(None), BASE, LINK);
        assert!(text.contains("openai: a, b, c, d and 2 more"), "{text}");
    }
}
