//! How much of a request is text, found without reading it: for guesses of its tokens.

/// The shortest string that may be a file, bytes.
const SHORTEST_FILE: usize = 1024;
/// The longest `data:<type>;base64,`, bytes.
const LONGEST_HEAD: usize = 128;

/// How much of a string is looked at before it may be found to be text, bytes.
const LOOK: usize = 1024;

/// What the strings of a JSON text hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Bytes of text, names of members among them.
    pub text: u64,
    /// Pictures and other files in base64.
    pub files: u64,
}

/// What the strings of `json` hold. What is no JSON has some extent, too.
#[must_use]
pub fn extent(json: &[u8]) -> Extent {
    let mut extent = Extent::default();
    let mut rest = json;
    while let Some((_, after)) = cut(rest, memchr::memchr(b'"', rest)) {
        let (string, after) = cut(after, end(after)).unwrap_or((after, &[]));
        if is_file(string) {
            extent.files += 1;
        } else {
            extent.text += string.len() as u64;
        }
        rest = after;
    }
    extent
}

/// What stands before and behind the byte at that place.
fn cut(bytes: &[u8], at: Option<usize>) -> Option<(&[u8], &[u8])> {
    let (before, from) = bytes.split_at_checked(at?)?;
    Some((before, from.get(1..)?))
}

/// Where a string ends whose opening quote is read.
pub fn end(string: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', string.get(from..)?)?;
        if string.get(at) == Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
}

/// Base64, with or without `data:…;base64,` before it, and long.
fn is_file(string: &[u8]) -> bool {
    if string.len() < SHORTEST_FILE {
        return false;
    }
    let head = string.get(..LONGEST_HEAD).filter(|head| head.starts_with(b"data:"));
    let comma = head.and_then(|head| memchr::memchr(b',', head));
    let code = comma.and_then(|at| string.get(at + 1..)).unwrap_or(string);
    // A piece at a time and without a way out of it: the processor looks at many bytes at once.
    code.chunks(LOOK).all(|piece| piece.iter().fold(true, |code, byte| code & is_code(*byte)))
}

const fn is_code(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | matches!(byte, b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn strings_are_text_and_files_are_counted() {
        let picture = format!("data:image/png;base64,{}", "iVBORw0KGgo".repeat(1000));
        let request =
            json!({"m": "gpt \" \\", "c": [{"url": picture}, {"data": "A".repeat(5000)}, 12]});
        let told = extent(request.to_string().as_bytes());
        // `m`, `gpt \" \\` as it is escaped, `c`, `url` and `data`.
        assert_eq!(told, Extent { text: 1 + 9 + 1 + 3 + 4, files: 2 });
    }

    #[test]
    fn long_texts_of_any_script_are_no_files() {
        let rule = "=".repeat(500) + &"-".repeat(600);
        for text in ["lorem ipsum ".repeat(500), "语言模型".repeat(500), "f():\n".repeat(500), rule]
        {
            let body = json!([text]).to_string();
            assert_eq!(extent(body.as_bytes()).files, 0);
            assert_eq!(extent(body.as_bytes()).text, body.len() as u64 - 4);
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_has_no_more_text_than_bytes(bytes: Vec<u8>) {
            prop_assert!(extent(&bytes).text <= bytes.len() as u64);
        }
    }
}
