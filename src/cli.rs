//! The command line: parsed here, carried out by [`crate::app`].

use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};

use crate::domain::Role;

/// Version, and the commit where the build knew it: `0.1.0 (2f7c8b1)`.
pub const VERSION: &str = env!("BUILD_VERSION");

/// The commit that was built; empty where the build did not know it.
pub const COMMIT: &str = env!("BUILD_COMMIT");

/// Exit code of a faulty configuration (`EX_CONFIG` of `sysexits.h`).
pub const EXIT_CONFIG: u8 = 78;

/// Longest life of a token: ten years of 365 days.
const MAX_TTL: Duration = Duration::from_secs(3650 * 24 * 60 * 60);

/// An LLM gateway in one binary.
#[derive(Debug, Parser)]
#[command(name = "turnpike", version = VERSION, about, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What was asked for.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Try it: sets up everything that is missing in the data folder, then serves
    Quickstart(ConfigFile),
    /// Serve
    Serve(ConfigFile),
    /// Report every fault of the configuration; exit code 78 if there is one
    Check(ConfigFile),
    /// Print a token for the admin and user API, and nothing else
    Token(TokenRequest),
    /// Print a link that signs someone in to the console, once, within 15 minutes
    ConsoleLink(LinkRequest),
    /// Change the key that wraps the installation's secrets, without downtime
    RotateMasterKey(RotationRequest),
    /// Manage the accounts of programs
    #[command(subcommand)]
    ServiceAccount(ServiceAccount),
    /// Print the description of the admin and user API (`OpenAPI`, JSON)
    Openapi,
    /// Ask the running gateway whether it lives; exit code 0 or 1
    Healthcheck(ConfigFile),
}

/// Which file is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct ConfigFile {
    /// Configuration file [default: conf/turnpike.toml if it exists]
    #[arg(long = "config", value_name = "FILE")]
    pub path: Option<PathBuf>,
}

/// Someone in an organization.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct NamedUser {
    /// Organization, by name or id; a name that is new is created
    #[arg(long, value_parser = not_empty)]
    pub org: String,
    /// The user: any name, usually an e-mail address
    #[arg(long, value_parser = not_empty)]
    pub user: String,
    /// user, admin or superadmin
    #[arg(long)]
    pub role: Role,
    /// A group of the user; may be given more than once
    #[arg(long = "group", value_name = "GROUP", value_parser = not_empty)]
    pub groups: Vec<String>,
}

/// What the token is to say.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct TokenRequest {
    /// Of whom it speaks.
    #[command(flatten)]
    pub user: NamedUser,
    /// How long it is valid, such as 30m, 1h or 7d
    #[arg(long, default_value = "1h", value_parser = lifetime)]
    pub ttl: Duration,
    /// Which file is read.
    #[command(flatten)]
    pub config: ConfigFile,
}

/// Whom the link is to sign in.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct LinkRequest {
    /// That one.
    #[command(flatten)]
    pub user: NamedUser,
    /// Which file is read.
    #[command(flatten)]
    pub config: ConfigFile,
}

/// How the master key is to change.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct RotationRequest {
    /// The new key: "file:<path>", "env:<name>" or base64 of 32 bytes [default: one is made, where the
    /// key is master.key in the data folder]
    #[arg(long, value_name = "KEY", value_parser = not_empty, conflicts_with = "finish")]
    pub new_key: Option<String>,
    /// Move to another kind of key: that of `secrets.vault_key`, or a master key
    #[arg(long, value_name = "WRAP", conflicts_with = "finish")]
    pub to: Option<WrapName>,
    /// Once every replica has the new key: let the old one go
    #[arg(long)]
    pub finish: bool,
    /// Which file is read.
    #[command(flatten)]
    pub config: ConfigFile,
}

/// What is to be done about service accounts.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum ServiceAccount {
    /// Make one; print its id and secret as a JSON object, and nothing else
    Create(NewServiceAccount),
}

/// The account that is to be made.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct NewServiceAccount {
    /// Organization, by name or id; a name that is new is created
    #[arg(long, value_parser = not_empty)]
    pub org: String,
    /// Name of the account, unique in its organization
    #[arg(long, value_parser = not_empty)]
    pub name: String,
    /// user, admin or superadmin
    #[arg(long)]
    pub role: Role,
    /// Which file is read.
    #[command(flatten)]
    pub config: ConfigFile,
}

/// What may wrap the root secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum WrapName {
    /// A master key
    Local,
    /// A key of Vault's transit engine
    Vault,
}

/// Reads the process's arguments. Answers `--help`, `--version` and mistakes itself, and exits.
#[must_use]
pub fn parse() -> Command {
    Arguments::parse().command
}

fn not_empty(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("must not be empty".to_owned()),
        name if name.contains(char::is_control) => {
            Err("must not contain control characters".to_owned())
        }
        trimmed => Ok(trimmed.to_owned()),
    }
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let expected = "expected a time such as 30m, 1h or 7d";
    text.parse::<jiff::Span>()
        .and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()))
        .ok()
        .and_then(|signed| Duration::try_from(signed).ok())
        .filter(|ttl| (Duration::from_secs(1)..=MAX_TTL).contains(ttl))
        .ok_or_else(|| format!("{expected}, from 1s to 3650d"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        Arguments::try_parse_from(line.split_whitespace())
            .map(|arguments| arguments.command)
            .map_err(|error| error.to_string())
    }

    fn token(line: &str) -> TokenRequest {
        match parsed(line) {
            Ok(Command::Token(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn commands_take_a_configuration_file() {
        assert_eq!(parsed("turnpike serve"), Ok(Command::Serve(ConfigFile::default())));
        let file = ConfigFile { path: Some(PathBuf::from("a.toml")) };
        assert_eq!(parsed("turnpike check --config a.toml"), Ok(Command::Check(file.clone())));
        assert_eq!(parsed("turnpike healthcheck --config a.toml"), Ok(Command::Healthcheck(file)));
    }

    #[test]
    fn a_token_request_has_an_hour_unless_told_otherwise() {
        let request = token("turnpike token --org acme --user a@example.com --role admin");
        assert_eq!(request.user.role, Role::Admin);
        assert_eq!(request.ttl, Duration::from_secs(3600));
        assert!(request.user.groups.is_empty());
    }

    #[test]
    fn groups_repeat() {
        let request = token("turnpike token --org a --user b --role user --group x --group y");
        assert_eq!(request.user.groups, ["x", "y"]);
    }

    #[test]
    fn a_rotation_is_begun_or_finished() {
        let begun = RotationRequest { new_key: Some("env:NEXT".into()), ..Default::default() };
        let line = "turnpike rotate-master-key --new-key env:NEXT";
        assert_eq!(parsed(line), Ok(Command::RotateMasterKey(begun)));
        let to = RotationRequest { to: Some(WrapName::Vault), ..Default::default() };
        assert_eq!(
            parsed("turnpike rotate-master-key --to vault"),
            Ok(Command::RotateMasterKey(to))
        );
        assert!(parsed("turnpike rotate-master-key --finish --to vault").is_err());
    }

    #[test]
    fn a_service_account_has_an_organization_a_name_and_a_role() {
        let line = "turnpike service-account create --org acme --name ci --role admin";
        let Ok(Command::ServiceAccount(ServiceAccount::Create(new))) = parsed(line) else {
            panic!("{:?}", parsed(line));
        };
        assert_eq!((new.org.as_str(), new.name.as_str(), new.role), ("acme", "ci", Role::Admin));
        for missing in ["--org acme ", "--name ci ", "--role admin"] {
            let option = missing.split(' ').next().unwrap();
            assert!(parsed(&line.replace(missing, "")).unwrap_err().contains(option));
        }
    }

    #[test]
    fn lifetimes_have_units() {
        for (text, seconds) in
            [("45s", 45), ("30m", 1800), ("1h", 3600), ("7d", 604_800), ("1h30m", 5400)]
        {
            assert_eq!(lifetime(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "1", "h", "-1h", "0s", "10ms", "4000d", "1 fortnight", "1month"] {
            assert!(lifetime(text).is_err(), "{text}");
        }
    }

    #[test]
    fn mistakes_name_the_argument() {
        let message = parsed("turnpike token --org a --user b --role king").unwrap_err();
        assert!(message.contains("--role") && message.contains("superadmin"), "{message}");
        assert!(parsed("turnpike token --user b --role user").unwrap_err().contains("--org"));
        assert!(parsed("turnpike serv").unwrap_err().contains("serve"));
    }

    #[test]
    fn names_have_no_control_characters() {
        for (option, line) in [
            ("--org", "turnpike token --org a\u{7}b --user b --role user"),
            ("--user", "turnpike token --org a --user b\u{1b}[1m --role user"),
            ("--group", "turnpike token --org a --user b --role user --group \u{7f}"),
        ] {
            let message = parsed(line).unwrap_err();
            assert!(message.contains(option) && message.contains("control"), "{message}");
        }
    }
}
