//! What the gateway says beside an answer (the unified API: contract 4.8).

use std::sync::Arc;

use serde::Serialize;

use super::{fit::ToolNames, responses::Echo};
use crate::{
    dialect::AnswerFacts,
    domain::{Attempt, BilledRates, TokenUsage},
    wire::{self, Found},
};

/// What an answer's writer needs to know that is not in the answer.
#[derive(Clone, Debug, Default)]
pub struct Answering {
    /// Makes ids where the vendor gave none: `chatcmpl-` and such stand before it.
    pub seed: String,
    /// Unix seconds, where the vendor gave none.
    pub created: i64,
    /// The vendor's id of the model: told where the vendor named none.
    pub model: Arc<str>,
    /// The model that this id stands for, where it tells nothing itself (a deployment, a profile); else the
    /// same.
    pub base_model: Arc<str>,
    /// Told even where the vendor named another (Claude on Bedrock and Vertex: contract 4.7).
    pub force_model: bool,
    /// The client wants one call of a tool at most: of what a vendor calls beyond it nothing is told.
    pub one_call: bool,
    /// What the vendor was told otherwise of the client's tools.
    pub tool_names: ToolNames,
    /// For responses, which repeat what was asked; none tells what a request without parameters does.
    pub echo: Option<Arc<Echo>>,
    /// For chat completions; none for the other APIs, which have no place for it.
    pub additions: Option<Additions>,
}

/// `metadata` and the costs in `usage`.
#[derive(Clone, Debug)]
pub struct Additions {
    /// The client's string.
    pub requested_model: String,
    /// The provider that it was pinned to.
    pub requested_provider: Option<Arc<str>>,
    /// The provider that answered.
    pub used_provider: Arc<str>,
    /// What was sent upstream.
    pub underlying_used_model: Arc<str>,
    /// The attempts that failed, in order.
    pub failed: Vec<Attempt>,
    /// What tokens cost; none where that is not known.
    pub rates: Option<BilledRates>,
    /// What spoke for the route that answered among its equals.
    pub selection: Option<Selection>,
    /// Where the client named a smart model: what was chosen for it.
    pub smart_model: Option<SmartChoice>,
}

/// The slot that a request of a smart model went to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SmartChoice {
    /// Counted from 0.
    pub slot: usize,
    /// Its alias.
    pub model_alias: Arc<str>,
    /// What spoke for it.
    pub reason: &'static str,
}

/// Why a route was chosen among those of its priority.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Selection {
    /// `weighted-score` or `price-only`.
    pub reason: &'static str,
    /// The lower the better.
    pub score: f64,
}

/// `metadata` of the unified API.
#[derive(Serialize)]
pub struct Metadata<'a> {
    requested_model: &'a str,
    requested_provider: Option<&'a str>,
    used_model: &'a str,
    used_provider: &'a str,
    underlying_used_model: &'a str,
    routing: Vec<Routing<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    smart_model: Option<&'a SmartChoice>,
}

/// One attempt, as the unified API shows it.
#[derive(Serialize)]
struct Routing<'a> {
    provider: &'a str,
    model: &'a str,
    status_code: u16,
    error_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    selection: Option<Selection>,
}

/// `usage.cost_usd_*`.
#[derive(Serialize)]
pub struct Costs {
    /// Input and output.
    pub cost_usd_total: crate::domain::Money,
    /// Input, cached tokens included.
    pub cost_usd_input: crate::domain::Money,
    /// Output.
    pub cost_usd_output: crate::domain::Money,
}

impl Additions {
    /// The `metadata` of an answer in which the vendor named `used_model`.
    #[must_use]
    pub fn metadata<'a>(&'a self, used_model: Option<&'a str>) -> Metadata<'a> {
        let underlying = &*self.underlying_used_model;
        let failed = self.failed.iter().map(|attempt| Routing {
            provider: &attempt.provider,
            model: &attempt.upstream_model,
            status_code: attempt.status.unwrap_or(0),
            error_type: &attempt.error_type,
            selection: None,
        });
        let good = Routing {
            provider: &self.used_provider,
            model: underlying,
            status_code: 200,
            error_type: "",
            selection: self.selection,
        };
        Metadata {
            requested_model: &self.requested_model,
            requested_provider: self.requested_provider.as_deref(),
            used_model: used_model.unwrap_or(underlying),
            used_provider: &self.used_provider,
            underlying_used_model: underlying,
            routing: failed.chain([good]).collect(),
            smart_model: self.smart_model.as_ref(),
        }
    }

    /// What the tokens cost; none where no price is known, never 0 for unknown.
    #[must_use]
    pub fn costs(&self, usage: &TokenUsage) -> Option<Costs> {
        let cost = self.rates.as_ref()?.cost(usage);
        Some(Costs {
            cost_usd_total: cost.total(),
            cost_usd_input: cost.input,
            cost_usd_output: cost.output,
        })
    }
}

/// A chat completion's bytes with `metadata` and costs in them, and what it says of itself; none where it
/// is no JSON object. A vendor's own `metadata` is kept, and ours written behind its members.
#[must_use]
pub fn add(body: &[u8], additions: &Additions) -> Option<(Vec<u8>, AnswerFacts)> {
    let ends = wire::object_ends(body, ["usage", "metadata", "model", "x_groq"])?;
    let [usage, own, model, groq] = &ends.members;
    let raw = |found: &Option<Found>| body.get(found.as_ref()?.span.clone());
    let facts = AnswerFacts::of_completion(raw(usage), raw(model), raw(groq));
    let mut out = Vec::with_capacity(body.len() + TYPICAL);
    let costs = facts.usage.as_ref().and_then(|usage| additions.costs(usage));
    let costs = costs.zip(usage.as_ref().and_then(|usage| usage.end));
    let metadata = additions.metadata(facts.model.as_deref());
    let own = own.as_ref().and_then(|own| own.end);
    let mut edits = [costs.map(|(costs, end)| (end, Edit::Costs(costs))), None];
    edits[1] = Some(match own {
        Some(end) => (end, Edit::Behind(metadata)),
        None => (ends.outer, Edit::Metadata(metadata)),
    });
    edits.sort_by_key(|edit| edit.as_ref().map(|(end, _)| end.insert_at));
    let mut from = 0;
    for (end, edit) in edits.into_iter().flatten() {
        out.extend_from_slice(body.get(from..end.insert_at)?);
        edit.write(&mut out, end.empty)?;
        from = end.insert_at;
    }
    out.extend_from_slice(body.get(from..)?);
    Some((out, facts))
}

/// Room for what most answers get, bytes.
const TYPICAL: usize = 768;

/// What is written into an answer.
enum Edit<'a> {
    /// Into `usage`.
    Costs(Costs),
    /// Into the vendor's own `metadata`.
    Behind(Metadata<'a>),
    /// As a member of the answer.
    Metadata(Metadata<'a>),
}

impl Edit<'_> {
    fn write(&self, out: &mut Vec<u8>, first: bool) -> Option<()> {
        match self {
            Edit::Costs(costs) => members(out, costs, first),
            Edit::Behind(metadata) => members(out, metadata, first),
            Edit::Metadata(metadata) => {
                let name: &[u8] = if first { br#""metadata":"# } else { br#","metadata":"# };
                out.extend_from_slice(name);
                serde_json::to_writer(out, metadata).ok()
            }
        }
    }
}

impl Additions {
    /// `"usage":{…},"metadata":{…}` for the last chunk of a stream that passes. `usage` is the vendor's
    /// own object.
    #[must_use]
    pub fn trailer(&self, facts: &AnswerFacts, usage: Option<&str>) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(usage) = usage {
            out.extend_from_slice(br#""usage":"#);
            let costs = facts.usage.as_ref().and_then(|usage| self.costs(usage));
            let end = wire::object_ends(usage.as_bytes(), []).map(|ends| ends.outer);
            match costs.zip(end).zip(usage.trim_end().strip_suffix('}')) {
                Some(((costs, end), open)) => {
                    out.extend_from_slice(open.as_bytes());
                    // Into memory: nothing that could fail.
                    let _written = members(&mut out, &costs, end.empty);
                    out.push(b'}');
                }
                None => out.extend_from_slice(usage.as_bytes()),
            }
            out.push(b',');
        }
        out.extend_from_slice(br#""metadata":"#);
        let metadata = self.metadata(facts.model.as_deref());
        out.extend_from_slice(&serde_json::to_vec(&metadata).unwrap_or_else(|_| b"{}".to_vec()));
        out
    }
}

/// Writes an object's members without its braces, to stand behind others.
fn members(out: &mut Vec<u8>, object: &impl Serialize, first: bool) -> Option<()> {
    let start = out.len();
    serde_json::to_writer(&mut *out, object).ok()?;
    out.pop();
    if first {
        out.remove(start);
    } else {
        // In the place of the brace.
        *out.get_mut(start)? = b',';
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn additions() -> Additions {
        Additions {
            requested_model: "openai/gpt-4o".to_owned(),
            requested_provider: Some("openai".into()),
            used_provider: "openai".into(),
            underlying_used_model: "gpt-4o".into(),
            failed: Vec::new(),
            rates: None,
            selection: None,
            smart_model: None,
        }
    }

    #[test]
    fn every_byte_of_the_answer_stays() {
        let body =
            br#" { "model" : "gpt-4o-2024-08-06", "usage":{ "prompt_tokens":9 } ,"z":[ ] } "#;
        let (out, facts) = add(body, &additions()).unwrap();
        let usage = TokenUsage { input: 9, ..TokenUsage::default() };
        let model = Some("gpt-4o-2024-08-06".to_owned());
        assert_eq!(facts, AnswerFacts { usage: Some(usage), model, whole: true });
        let text = String::from_utf8(out).unwrap();
        let kept = r#" { "model" : "gpt-4o-2024-08-06", "usage":{ "prompt_tokens":9 } ,"z":[ ] ,"#;
        assert!(text.strip_prefix(kept).unwrap().starts_with(r#""metadata":{"#), "{text}");
        assert!(text.ends_with("} "));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value["metadata"],
            json!({"requested_model":"openai/gpt-4o","requested_provider":"openai",
                "used_model":"gpt-4o-2024-08-06","used_provider":"openai",
                "underlying_used_model":"gpt-4o",
                "routing":[{"provider":"openai","model":"gpt-4o","status_code":200,"error_type":""}]})
        );
        assert_eq!(value["usage"], json!({"prompt_tokens":9}), "an unknown price is no cost");
    }

    #[test]
    fn usage_is_read_wherever_the_vendor_has_it() {
        let read = |body: &str| {
            let usage = add(body.as_bytes(), &additions()).unwrap().1.usage.unwrap();
            (usage.input, usage.output)
        };
        let groq = r#"{"x_groq":{"id":"r","usage":{"prompt_tokens":3,"completion_tokens":4}}}"#;
        assert_eq!(read(groq), (3, 4));
        let twice = r#"{"usage":{"prompt_tokens":1},"usage":{"prompt_tokens":7}}"#;
        assert_eq!(read(twice), (7, 0), "of two the last counts, as for most readers");
    }

    #[test]
    fn what_is_no_json_to_its_last_letter_gets_nothing() {
        for body in ["", "[]", r#"{"a":01}"#, r#"{"usage":{"prompt_tokens":1}} x"#] {
            assert!(add(body.as_bytes(), &additions()).is_none(), "{body}");
        }
    }

    #[test]
    fn a_metadata_of_the_vendors_own_is_kept_and_extended() {
        for (own, kept) in [("{}", json!(null)), (r#"{"tag":"x"}"#, json!("x"))] {
            let body = format!(r#"{{"metadata":{own},"usage":{{}}}}"#);
            let (out, _) = add(body.as_bytes(), &additions()).unwrap();
            let value: Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(value["metadata"]["tag"], kept);
            assert_eq!(value["metadata"]["used_model"], "gpt-4o");
        }
    }
}
