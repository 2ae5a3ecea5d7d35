//! An answer of Converse.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_ResponseSyntax>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    super::{
        Unreadable,
        answer_tool::is_answer,
        form::{
            Answer, Citation, Media, Origin, Part, PartKind, PartPath, Place, Signature, Source,
            Text, Thinking, ToolCall,
        },
    },
    usage_read::{stop_reason, usage},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow)]
    output: Option<Output<'a>>,
    stop_reason: Option<Text<'a>>,
    usage: Option<&'a RawValue>,
    service_tier: Option<Tier<'a>>,
    additional_model_response_fields: Option<Additional<'a>>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow)]
    message: Option<Message<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    content: Vec<Block<'a>>,
}

#[derive(Deserialize)]
struct Tier<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
}

/// What the request asked for beside: see `additionalModelResponseFieldPaths`.
#[derive(Deserialize)]
pub(super) struct Additional<'a> {
    #[serde(borrow)]
    pub stop_sequence: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
    tool_use: Option<ToolUse<'a>>,
    reasoning_content: Option<Reasoning<'a>>,
    citations_content: Option<CitationsContent<'a>>,
    image: Option<Image<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolUse<'a> {
    #[serde(borrow)]
    tool_use_id: Text<'a>,
    name: Text<'a>,
    input: Option<&'a RawValue>,
    #[serde(rename = "type")]
    kind: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reasoning<'a> {
    #[serde(borrow)]
    reasoning_text: Option<ReasoningText<'a>>,
    redacted_content: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct ReasoningText<'a> {
    #[serde(borrow, default)]
    text: Text<'a>,
    signature: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct CitationsContent<'a> {
    #[serde(borrow, default)]
    content: Vec<Words<'a>>,
    #[serde(default)]
    citations: Vec<CitedSource<'a>>,
}

/// `{"text": …}`.
#[derive(Deserialize)]
pub(super) struct Words<'a> {
    #[serde(borrow)]
    pub text: Option<Text<'a>>,
}

/// A citation, whole or in a stream.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CitedSource<'a> {
    #[serde(borrow)]
    title: Option<Text<'a>>,
    source: Option<Text<'a>>,
    #[serde(default)]
    source_content: Vec<Words<'a>>,
    location: Option<Location<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    #[serde(borrow)]
    web: Option<Web<'a>>,
    document_char: Option<InDocument>,
    document_page: Option<InDocument>,
    document_chunk: Option<InDocument>,
    search_result_location: Option<InResult>,
}

#[derive(Deserialize)]
struct Web<'a> {
    #[serde(borrow)]
    url: Option<Text<'a>>,
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CitationLocation.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InDocument {
    document_index: Option<u64>,
    start: Option<u64>,
    end: Option<u64>,
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_SearchResultLocation.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InResult {
    search_result_index: Option<u64>,
    start: Option<u64>,
    end: Option<u64>,
}

impl Location<'_> {
    /// Which document, and where in it.
    fn within(&self) -> Option<(&InDocument, Option<Place>)> {
        let chars = self.document_char.as_ref().map(|own| (own, own.place(Place::Chars)));
        let pages = || self.document_page.as_ref().map(|own| (own, own.place(Place::Pages)));
        let blocks = || self.document_chunk.as_ref().map(|own| (own, own.place(Place::Blocks)));
        chars.or_else(pages).or_else(blocks)
    }
}

impl InDocument {
    fn place(&self, of: fn(u64, u64) -> Place) -> Option<Place> {
        self.start.zip(self.end).map(|(start, end)| of(start, end))
    }
}

#[derive(Deserialize)]
struct Image<'a> {
    #[serde(borrow)]
    format: Option<Text<'a>>,
    source: Option<Bytes<'a>>,
}

#[derive(Deserialize)]
struct Bytes<'a> {
    #[serde(borrow)]
    bytes: Option<Text<'a>>,
}

/// Reads an answer. It names neither itself nor its model.
///
/// # Errors
/// When it is not JSON of this shape or has no message.
pub fn read_answer(body: &[u8]) -> Result<Answer<'_>, Unreadable> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|fault| {
        // Only where, never what.
        Unreadable(format!("it is no answer of Converse (byte {})", fault.column()))
    })?;
    let message = body.output.and_then(|output| output.message);
    let message = message.ok_or_else(|| Unreadable("it has no output.message".to_owned()))?;
    let mut answer = Answer {
        usage: body.usage.and_then(usage),
        service_tier: body.service_tier.and_then(|tier| tier.kind),
        stop_sequence: body.additional_model_response_fields.and_then(|more| more.stop_sequence),
        ..Answer::default()
    };
    let mut letters = 0;
    let mut content = message.content;
    keep_to_the_answer(&mut content);
    for block in content {
        add(block, &mut letters, &mut answer);
    }
    let calls = answer.parts.iter().any(|part| matches!(part.kind, PartKind::ToolCall(_)));
    answer.stop = body.stop_reason.map(|word| stop_reason(&word, calls));
    Ok(answer)
}

/// Where the answer came by the tool for it, what the model says beside, or once more, would spoil its JSON.
fn keep_to_the_answer(content: &mut [Block<'_>]) {
    let mut given = false;
    for block in &mut *content {
        let answers = block.tool_use.as_ref().is_some_and(|call| is_answer(&call.name));
        if answers && given {
            block.tool_use = None;
        }
        given |= answers;
    }
    if !given {
        return;
    }
    for block in content {
        block.text = None;
        if let Some(cited) = &mut block.citations_content {
            cited.content.clear();
        }
    }
}

/// Adds a block; `letters` is how long the text is so far.
fn add<'a>(block: Block<'a>, letters: &mut u64, answer: &mut Answer<'a>) {
    let mut push = |kind| answer.parts.push(Part::new(kind, PartPath::default()));
    if let Some(text) = block.text.filter(|text| !text.is_empty()) {
        *letters += count(&text);
        push(PartKind::Text(text));
    }
    if let Some(thinking) = block.reasoning_content.and_then(thinking) {
        push(PartKind::Thinking(thinking));
    }
    match block.tool_use.filter(|call| !is_the_vendors(call.kind.as_ref())) {
        Some(call) if is_answer(&call.name) => {
            let text = Text::from(call.input.map_or("{}", RawValue::get));
            *letters += count(&text);
            push(PartKind::Text(text));
        }
        Some(call) => push(PartKind::ToolCall(tool_call(call))),
        None => {}
    }
    if let Some(media) = block.image.and_then(image) {
        push(PartKind::Image(media));
    }
    if let Some(cited) = block.citations_content {
        let start = *letters;
        for text in cited.content.into_iter().filter_map(|words| words.text) {
            *letters += count(&text);
            push(PartKind::Text(text));
        }
        let span = Some((start, *letters));
        let citations = cited.citations.into_iter();
        answer.citations.extend(citations.map(|source| Citation { span, ..citation(source) }));
    }
}

/// How long a text is, as spans count it.
pub(super) fn count(text: &str) -> u64 {
    text.chars().count() as u64
}

fn thinking(content: Reasoning<'_>) -> Option<Thinking<'_>> {
    let redacted = content.reasoning_text.is_none();
    let (text, proof) = match content.reasoning_text {
        Some(words) => (words.text, words.signature),
        None => (Text::default(), Some(content.redacted_content?)),
    };
    let proof = proof.filter(|value| !value.is_empty());
    let signature = proof.map(|value| Signature::new(Origin::Bedrock, value));
    Some(Thinking { text, signature, redacted, id: None })
}

/// Calls of the vendor's own tools are answered by the vendor itself.
pub(super) fn is_the_vendors(kind: Option<&Text<'_>>) -> bool {
    kind.is_some_and(|kind| *kind == "server_tool_use")
}

fn tool_call(call: ToolUse<'_>) -> ToolCall<'_> {
    let arguments = call.input.map(RawValue::get).filter(|input| *input != "null");
    ToolCall {
        id: call.tool_use_id,
        name: call.name,
        arguments: arguments.unwrap_or("{}").into(),
        signature: None,
        custom: false,
    }
}

fn image(image: Image<'_>) -> Option<Media<'_>> {
    let data = image.source?.bytes?;
    let mime = image.format.map(|format| Text::from(format!("image/{}", &*format)));
    Some(Media { mime, ..Media::at(Source::Base64(data)) })
}

/// A source, in no dialect's words.
pub(super) fn citation(source: CitedSource<'_>) -> Citation<'_> {
    let mut citation = Citation {
        title: source.title,
        quote: quote(source.source_content),
        ..Citation::default()
    };
    if let Some(mut location) = source.location {
        citation.url = location.web.take().and_then(|web| web.url);
        if let Some((within, place)) = location.within() {
            citation.document = within.document_index;
            citation.place = place;
        }
        if let Some(InResult { search_result_index, start, end }) = location.search_result_location
        {
            citation.search_result = search_result_index;
            citation.place = start.zip(end).map(|(start, end)| Place::Blocks(start, end));
        }
    }
    let is_address =
        |source: &Text<'_>| source.starts_with("https://") || source.starts_with("http://");
    // The source of a search result is what the client called it.
    let is_told = |source: &Text<'_>| citation.search_result.is_some() || is_address(source);
    let told = source.source.filter(is_told);
    citation.url = citation.url.or(told);
    citation
}

/// The words quoted, which may come in pieces.
fn quote(pieces: Vec<Words<'_>>) -> Option<Text<'_>> {
    let mut texts = pieces.into_iter().filter_map(|words| words.text);
    let first = texts.next()?;
    match texts.next() {
        None => Some(first),
        Some(second) => {
            let more: String = texts.map(|text| (*text).to_owned()).collect();
            Some(Text::from(format!("{}{}{more}", &*first, &*second)))
        }
    }
}
