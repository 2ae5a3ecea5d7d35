//! Tools by the names and in the kinds that a vendor takes, and back.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::value::RawValue;

use super::{
    free_text::{FreeText, SCHEMA, wrapped},
    takes_custom,
};
use crate::translate::{
    Target, VendorApi,
    form::{Answer, Event, Part, PartKind, Request, Text, ToolCall, ToolChoice, ToolKind},
    plain::Rule,
};

static PARAMETERS: LazyLock<Option<Box<RawValue>>> =
    LazyLock::new(|| RawValue::from_string(SCHEMA.to_owned()).ok());

/// The client's tools that a vendor is told otherwise: by another name, because it would refuse theirs, or
/// as a function, because it has no tools that take free text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolNames {
    /// By the client's names.
    all: BTreeMap<String, Told>,
    /// Free text is a function's only argument.
    wraps: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    /// What the vendor calls it.
    sent: String,
    /// It takes free text.
    custom: bool,
}

/// What names of tools may be. The strictest of what vendors say of theirs holds for all: names come back
/// as the client's own in any case.
///
/// <https://platform.openai.com/docs/api-reference/chat/create> (`tools`),
/// <https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools>,
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html>,
/// <https://ai.google.dev/api/caching#FunctionDeclaration>: begins with a letter, and dots may be in it.
const fn rule(vendor: VendorApi) -> Rule {
    let google = matches!(vendor, VendorApi::Gemini);
    Rule { dots: google, begins_with_letter: google }
}

impl ToolNames {
    /// Those of `request` at `vendor`.
    #[must_use]
    pub fn of(request: &Request<'_>, vendor: VendorApi, target: &Target<'_>) -> Self {
        let mut names = Self { all: BTreeMap::new(), wraps: !takes_custom(vendor, target) };
        let rule = rule(vendor);
        for tool in &request.tools {
            match &tool.kind {
                ToolKind::Function { name, .. } => names.add(name, rule, false),
                ToolKind::Custom { name, .. } => names.add(name, rule, names.wraps),
                ToolKind::WebSearch { .. } | ToolKind::Other { .. } => {}
            }
        }
        for part in request.turns.iter().flat_map(|turn| &turn.parts) {
            match &part.kind {
                PartKind::ToolCall(call) => names.add(&call.name, rule, false),
                PartKind::ToolResult(result) => {
                    if let Some(name) = &result.name {
                        names.add(name, rule, false);
                    }
                }
                _ => {}
            }
        }
        match &request.tool_choice {
            Some(ToolChoice::Named(name)) => names.add(name, rule, false),
            Some(ToolChoice::Allowed { names: allowed, .. }) => {
                for name in allowed {
                    names.add(name, rule, false);
                }
            }
            Some(ToolChoice::Auto | ToolChoice::None | ToolChoice::Required) | None => {}
        }
        names
    }

    fn add(&mut self, name: &str, rule: Rule, custom: bool) {
        let sent = rule.plain(name);
        if (custom || *sent != *name) && !self.all.contains_key(name) {
            self.all.insert(name.to_owned(), Told { sent: sent.into_owned(), custom });
        }
    }

    /// Every tool is called as the client calls it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether anything of the request is told otherwise.
    pub(super) fn changes(&self, request: &Request<'_>) -> bool {
        let mut parts = request.turns.iter().flat_map(|turn| &turn.parts);
        let free = |part: &Part<'_>| match &part.kind {
            PartKind::ToolCall(call) => call.custom,
            PartKind::ToolResult(result) => result.custom,
            _ => false,
        };
        !self.is_empty() || (self.wraps && parts.any(free))
    }

    /// Tells the request's tools, calls and results as the vendor takes them.
    pub(super) fn apply(&self, request: &mut Request<'_>) {
        for tool in &mut request.tools {
            if let ToolKind::Custom { name, description, .. } = &mut tool.kind
                && self.wraps
            {
                tool.kind = ToolKind::Function {
                    name: std::mem::take(name),
                    description: description.take(),
                    parameters: PARAMETERS.as_deref(),
                    strict: None,
                };
            }
            if let ToolKind::Function { name, .. } | ToolKind::Custom { name, .. } = &mut tool.kind
            {
                self.rename(name);
            }
        }
        for part in request.turns.iter_mut().flat_map(|turn| &mut turn.parts) {
            match &mut part.kind {
                PartKind::ToolCall(call) => {
                    self.rename(&mut call.name);
                    if call.custom && self.wraps {
                        call.arguments = wrapped(&call.arguments).into();
                        call.custom = false;
                    }
                }
                PartKind::ToolResult(result) => {
                    result.name.iter_mut().for_each(|name| self.rename(name));
                    result.custom &= !self.wraps;
                }
                _ => {}
            }
        }
        match &mut request.tool_choice {
            Some(ToolChoice::Named(name)) => self.rename(name),
            Some(ToolChoice::Allowed { names, .. }) => {
                for name in names {
                    self.rename(name);
                }
            }
            Some(ToolChoice::Auto | ToolChoice::None | ToolChoice::Required) | None => {}
        }
    }

    fn rename(&self, name: &mut Text<'_>) {
        if let Some(told) = self.all.get(&**name) {
            *name = told.sent.clone().into();
        }
    }

    fn called(&self, sent: &str) -> Option<(&str, bool)> {
        let (name, told) = self.all.iter().find(|(_, told)| told.sent == sent)?;
        Some((name, told.custom))
    }

    /// Names the calls of an answer as the client does.
    pub fn restore(&self, answer: &mut Answer<'_>) {
        for part in &mut answer.parts {
            let PartKind::ToolCall(call) = &mut part.kind else { continue };
            if let Some((name, custom)) = self.called(&call.name) {
                restore(name, custom, call);
            }
        }
    }
}

fn restore(name: &str, custom: bool, call: &mut ToolCall<'_>) {
    call.name = name.to_owned().into();
    if custom && !call.custom {
        call.arguments = FreeText::default().push(&call.arguments).into();
        call.custom = true;
    }
}

/// Names the calls of a stream as the client does.
#[derive(Debug, Default)]
pub struct Restoring {
    names: ToolNames,
    /// The calls whose arguments hold free text, by their numbers.
    texts: Vec<(usize, FreeText)>,
}

impl Restoring {
    /// For one stream.
    #[must_use]
    pub const fn new(names: ToolNames) -> Self {
        Self { names, texts: Vec::new() }
    }

    /// An event as the client is told it; none where nothing of it is for the client yet.
    pub fn event<'a>(&mut self, mut event: Event<'a>) -> Option<Event<'a>> {
        match &mut event {
            Event::ToolCall { call: number, name, custom, .. } => {
                if let Some((own, is_custom)) = self.names.called(name) {
                    *name = own.to_owned().into();
                    if is_custom && !*custom {
                        *custom = true;
                        self.texts.push((*number, FreeText::default()));
                    }
                }
            }
            Event::Arguments { call, fragment } => {
                if let Some((_, text)) = self.texts.iter_mut().find(|(number, _)| number == call) {
                    let said = text.push(fragment);
                    if said.is_empty() {
                        return None;
                    }
                    *fragment = said.into();
                }
            }
            _ => {}
        }
        Some(event)
    }
}
