//! The request that every target gets: a chat completion of a wanted size, as an SDK would send it.

use std::net::SocketAddr;

/// From this size on a body is taken to be mostly an image, as large bodies are.
const IMAGE_FROM: usize = 1_000_000;

/// What the users of the load generators may choose about their requests.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// Where to connect.
    pub addr: SocketAddr,
    /// Request target, `/v1/chat/completions`.
    pub path: String,
    /// Bearer token: the caller's key.
    pub bearer: String,
    /// Name the caller uses for the model.
    pub model: String,
    /// Size of the body in bytes; small values are rounded up to the frame's own size.
    pub body_bytes: usize,
    /// Ask for server-sent events.
    pub stream: bool,
}

impl Prompt {
    /// The whole request, head and body, ready for one write.
    pub fn bytes(&self) -> Vec<u8> {
        let body = self.body();
        let mut request = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\n\
             content-type: application/json\r\nuser-agent: turnpike-bench/1\r\n\
             authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
            self.path,
            self.addr,
            self.bearer,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body.as_bytes());
        request
    }

    fn body(&self) -> String {
        let (before, after) = self.frame();
        let room = self.body_bytes.saturating_sub(before.len() + after.len());
        let filler = if self.body_bytes >= IMAGE_FROM { image(room) } else { prose(room) };
        format!("{before}{filler}{after}")
    }

    /// What stands before and after the filler. `stream` comes early, where the mock looks for it.
    fn frame(&self) -> (String, &'static str) {
        let stream = if self.stream { r#""stream":true,"# } else { "" };
        let head = format!(
            r#"{{"model":"{}",{stream}"temperature":0.7,"messages":[{{"role":"system","content":"You are a helpful assistant."}},{{"role":"user","content":"#,
            self.model
        );
        if self.body_bytes >= IMAGE_FROM {
            let image = r#"[{"type":"image_url","image_url":{"url":"data:image/png;base64,"#;
            (head + image, r#""}}]}]}"#)
        } else {
            (head + "\"", r#""}]}"#)
        }
    }
}

/// English with a line break (an escape in JSON) now and then, `len` bytes of it.
fn prose(len: usize) -> String {
    const LINE: &str =
        "Summarise the following paragraph for a reader who has little time, please.\\n";
    let mut text = LINE.repeat(len / LINE.len());
    text.extend(std::iter::repeat_n('.', len - text.len()));
    text
}

/// Base64 letters, `len` bytes of them.
fn image(len: usize) -> String {
    const LETTERS: &str = "iVBORw0KGgoAAAANSUhEUgAAB4AAAAQ4CAYAAADo08FDAAAACXBIWXMAAAsT";
    let mut text = LETTERS.repeat(len / LETTERS.len());
    text.extend(std::iter::repeat_n('A', len - text.len()));
    text
}
