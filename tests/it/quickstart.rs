//! `turnpike quickstart` as a newcomer runs it, and what it prints.

use std::{
    io::{BufRead as _, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use serde_json::Value;

use crate::support::{Gateway, GatewayBuilder, until};

/// A running quickstart; dropped, it is killed.
pub struct Quickstart {
    builder: GatewayBuilder,
    child: Child,
    printed: Lines,
    logged: Lines,
    /// Scheme, host and port, as printed.
    pub url: String,
}

type Lines = Arc<Mutex<Vec<String>>>;

impl Quickstart {
    /// The first run, in a new data folder.
    pub async fn first() -> Self {
        Self::run(Gateway::configured()).await
    }

    /// Ends it and runs it again on the same folder and the same port.
    pub async fn again(mut self) -> Self {
        let address = self.url.trim_start_matches("http://").to_owned();
        self.end();
        Self::run(self.builder.clone().set("server.listen", address)).await
    }

    async fn run(builder: GatewayBuilder) -> Self {
        let mut child = builder
            .command()
            .arg("quickstart")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let printed = lines(child.stdout.take().unwrap());
        let logged = lines(child.stderr.take().unwrap());
        let url = until("quickstart prints where it is ready", async || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("quickstart ended with {status}:\n{}", logged.lock().unwrap().join("\n"));
            }
            let printed = printed.lock().unwrap();
            printed.iter().find_map(|line| address_in(line))
        })
        .await;
        Self { builder, child, printed, logged, url }
    }

    /// The key that the first run prints.
    pub async fn key(&self) -> String {
        until("quickstart prints a key", async || {
            self.printed.lock().unwrap().iter().find_map(|line| key_in(line))
        })
        .await
    }

    /// Where `/metrics` is.
    pub async fn metrics_url(&self) -> String {
        until("quickstart logs where the metrics are", async || {
            self.logged.lock().unwrap().iter().find_map(|line| {
                let line: Value = serde_json::from_str(line).ok()?;
                let fields = if line["message"].is_string() { &line } else { &line["fields"] };
                let says = fields["message"] == "metrics listening";
                says.then(|| format!("http://{}", fields["address"].as_str().unwrap()))
            })
        })
        .await
    }

    /// A command of the same binary with the same settings.
    pub fn command(&self) -> Command {
        self.builder.command()
    }

    /// Ends it, and everything that it printed.
    pub fn end(&mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        // The reader holds its lines until the pipe has ended with the process.
        while Arc::strong_count(&self.printed) > 1 {
            std::thread::yield_now();
        }
        self.printed.lock().unwrap().join("\n")
    }
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            eprintln!("quickstart printed:\n{}", self.printed.lock().unwrap().join("\n"));
            eprintln!("and logged:\n{}", self.logged.lock().unwrap().join("\n"));
        }
    }
}

fn lines(stream: impl Read + Send + 'static) -> Lines {
    let lines = Lines::default();
    let kept = Arc::clone(&lines);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            kept.lock().unwrap().push(String::from_utf8_lossy(&line).into_owned());
        }
    });
    lines
}

/// `Turnpike is … http://127.0.0.1:8080`
fn address_in(line: &str) -> Option<String> {
    let at = line.strip_prefix("Turnpike is ")?.find("http://")?;
    line["Turnpike is ".len() + at..].split_whitespace().next().map(str::to_owned)
}

/// `bd-` and 38 letters and digits.
fn key_in(line: &str) -> Option<String> {
    line.match_indices("bd-").find_map(|(at, _)| {
        let rest = &line[at + 3..];
        let length = rest.chars().take_while(char::is_ascii_alphanumeric).count();
        (length == 38).then(|| line[at..at + 3 + length].to_owned())
    })
}
