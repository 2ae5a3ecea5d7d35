//! A browser as far as sign-in needs one: cookies, and redirects that it is told to follow.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Answer, Caller, Gateway};

/// A browser that visits one gateway.
#[derive(Clone)]
pub struct Browser {
    stranger: Caller,
    cookies: BTreeMap<String, String>,
    /// Shown on whatever may change something.
    pub csrf: Option<String>,
}

impl Browser {
    /// A new one.
    pub fn at(gateway: &Gateway) -> Self {
        Self { stranger: gateway.stranger(), cookies: BTreeMap::new(), csrf: None }
    }

    /// One that is signed in by a link of `turnpike console-link`.
    pub async fn of(gateway: &Gateway, org: &str, user: &str, role: &str) -> Self {
        let mut browser = Self::at(gateway);
        browser.open(&link(gateway, org, user, role)).await.has_status(303);
        browser.learn_token().await;
        browser
    }

    /// Opens a page: sends the cookies, keeps those that it is given, follows nothing.
    pub async fn open(&mut self, path: &str) -> Answer {
        let answer = self.visitor().get(path).await;
        self.keep(&answer);
        answer
    }

    /// Reads the session's token, as the console does first of all.
    pub async fn learn_token(&mut self) {
        let session = self.session().await.has_status(200).json();
        self.csrf = session["csrf_token"].as_str().map(str::to_owned);
    }

    pub async fn session(&self) -> Answer {
        self.visitor().get("/api/llm-gateway/auth/session").await
    }

    pub async fn sign_out(&mut self) -> Answer {
        let answer = self.caller().ask("POST", "/api/llm-gateway/auth/logout").await;
        self.keep(&answer);
        answer
    }

    /// Whoever sends the cookies, and nothing else.
    pub fn visitor(&self) -> Caller {
        let pairs: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() {
            return self.stranger.clone();
        }
        self.stranger.with("cookie", &pairs.join("; "))
    }

    /// The console's own pages: with the session's token.
    pub fn caller(&self) -> Caller {
        match &self.csrf {
            Some(token) => self.visitor().with("x-turnpike-csrf", token),
            None => self.visitor(),
        }
    }

    /// The value of a cookie.
    #[track_caller]
    pub fn cookie(&self, name: &str) -> &str {
        self.cookies.get(name).unwrap_or_else(|| panic!("no {name} among {:?}", self.cookies))
    }

    pub fn has_cookie(&self, name: &str) -> bool {
        self.cookies.contains_key(name)
    }

    /// Keeps what an answer gives, and lets go of what it takes away.
    fn keep(&mut self, answer: &Answer) {
        for set in cookies_of(answer) {
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            if set.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// What an answer has browsers keep, as it says so.
pub fn cookies_of(answer: &Answer) -> Vec<&str> {
    let lines = answer.headers.0.iter().filter(|(name, _)| name == "set-cookie");
    lines.map(|(_, value)| value.as_str()).collect()
}

/// The path of a link that signs someone in.
pub fn link(gateway: &Gateway, org: &str, user: &str, role: &str) -> String {
    let printed =
        gateway.run_command(&["console-link", "--org", org, "--user", user, "--role", role]);
    path_of(printed.trim())
}

/// What follows scheme and host.
pub fn path_of(url: &str) -> String {
    let (_, rest) = url.split_once("://").expect("a URL");
    rest[rest.find('/').expect("a path")..].to_owned()
}

/// What an answer names as the reason of a sign-in that did not come to pass.
#[track_caller]
pub fn complaint(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.tell());
    let page = answer.header("location").unwrap();
    let query = page.strip_prefix("/?").unwrap_or_else(|| panic!("sent to {page}"));
    query.strip_prefix("error=").unwrap_or_else(|| panic!("sent to {page}")).to_owned()
}

/// The id of an organization of whoever is signed in.
pub async fn org_of(browser: &Browser) -> Value {
    browser.session().await.has_status(200).json()["org"].clone()
}
