//! Cookies of the console (RFC 6265): how they are named, read and set.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header::COOKIE};

/// One of the cookies. Where browsers come over TLS its name has the prefix that no other host and
/// no page without TLS can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cookie {
    plain: &'static str,
    secured: &'static str,
}

/// Who is signed in.
pub(super) const SESSION: Cookie =
    Cookie { plain: "turnpike_session", secured: "__Host-turnpike_session" };
/// A sign-in that is under way.
pub(super) const SIGN_IN: Cookie =
    Cookie { plain: "turnpike_sign_in", secured: "__Host-turnpike_sign_in" };

impl Cookie {
    const fn name(self, secure: bool) -> &'static str {
        if secure { self.secured } else { self.plain }
    }

    /// Its value, if the request has it once: of two nobody can tell whose they are.
    pub(super) fn read(self, headers: &HeaderMap, secure: bool) -> Option<&str> {
        let name = self.name(secure);
        let pairs = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut values = pairs.flat_map(|line| line.split(';')).filter_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then_some(value)
        });
        let only = values.next()?;
        values.next().is_none().then_some(only)
    }

    /// The header that sets it: for this host alone, out of reach of scripts, not sent along with
    /// what other sites' pages ask for.
    pub(super) fn set(self, value: &str, secure: bool, lives: Duration) -> Option<HeaderValue> {
        let (name, lives) = (self.name(secure), lives.as_secs());
        let tls = if secure { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={lives}{tls}");
        let mut header = HeaderValue::try_from(text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// The header that takes it away.
    pub(super) fn clear(self, secure: bool) -> Option<HeaderValue> {
        self.set("", secure, Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str], secure: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, line.parse().unwrap());
        }
        SESSION.read(&headers, secure).map(str::to_owned)
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        assert_eq!(read(&["a=b; turnpike_session=x=y; c=d"], false).as_deref(), Some("x=y"));
        assert_eq!(read(&["a=b", "turnpike_session=x"], false).as_deref(), Some("x"));
        assert_eq!(read(&["__Host-turnpike_session=x"], true).as_deref(), Some("x"));
    }

    #[test]
    fn the_name_without_the_prefix_counts_for_nothing_where_there_is_tls() {
        assert_eq!(read(&["turnpike_session=x"], true), None);
        assert_eq!(read(&["__Host-turnpike_session=x"], false), None);
    }

    #[test]
    fn none_or_several_are_none() {
        for lines in [
            &[][..],
            &["turnpike_session"],
            &["xturnpike_session=x"],
            &["turnpike_session=x; turnpike_session=x"],
            &["turnpike_session=x", "turnpike_session=y"],
        ] {
            assert_eq!(read(lines, false), None, "{lines:?}");
        }
    }

    #[test]
    fn what_is_set_is_for_this_host_and_for_no_script() {
        let hour = Duration::from_secs(3600);
        let set = |secure| SESSION.set("x", secure, hour).unwrap().to_str().unwrap().to_owned();
        assert_eq!(set(false), "turnpike_session=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600");
        assert_eq!(
            set(true),
            "__Host-turnpike_session=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600; Secure"
        );
        let cleared = SESSION.clear(false).unwrap();
        assert!(cleared.to_str().unwrap().ends_with("Max-Age=0"));
        assert!(!format!("{cleared:?}").contains("turnpike"), "not to be printed");
    }
}
