//! `storage.url` for PostgreSQL, and what is said when the server cannot be used: never the password.

use std::str::FromStr as _;

use sqlx::{
    error::DatabaseError,
    migrate::MigrateError,
    postgres::{PgConnectOptions, PgSslMode},
};
use url::Url;

use super::StoreError;

/// What may stand behind the `?`. The driver would print any other, with its value.
const PARAMETERS: [&str; 17] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "options",
    "statement-cache-capacity",
];

/// Where the database is, in words that may be shown.
pub(super) struct Place {
    address: String,
    user: String,
    database: String,
    is_exposed: bool,
}

/// Reads the URL.
pub(super) fn read(url: &str) -> Result<(PgConnectOptions, Place), StoreError> {
    // What the parser says may repeat what it read.
    let unreadable = || invalid("it must look like postgres://user:password@host:5432/database");
    let parsed = Url::parse(url).map_err(|_| unreadable())?;
    if let Some((name, _)) = parsed.query_pairs().find(|(name, _)| !is_parameter(name)) {
        let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
        return Err(invalid(&format!(
            "it has the parameter {name:?}, which is none; known are {}",
            PARAMETERS.join(", ")
        )));
    }
    let options = PgConnectOptions::from_str(url).map_err(|_| unreadable())?;
    let place = Place::of(&options);
    Ok((options, place))
}

fn is_parameter(name: &str) -> bool {
    PARAMETERS.contains(&name)
}

fn invalid(reason: &str) -> StoreError {
    StoreError::Open { path: "at storage.url".to_owned(), reason: reason.to_owned() }
}

impl Place {
    fn of(options: &PgConnectOptions) -> Self {
        let socket = options.get_socket().map(|path| path.display().to_string());
        let host = options.get_host();
        let near = socket.is_some() || is_loopback(host);
        let verified =
            matches!(options.get_ssl_mode(), PgSslMode::VerifyFull | PgSslMode::VerifyCa);
        Self {
            address: socket.unwrap_or_else(|| format!("{host}:{}", options.get_port())),
            user: options.get_username().to_owned(),
            database: options.get_database().unwrap_or(options.get_username()).to_owned(),
            is_exposed: !near && !verified,
        }
    }

    /// Whether others could stand between: the way leaves the machine and the server is not asked
    /// for its certificate.
    pub(super) const fn is_exposed(&self) -> bool {
        self.is_exposed
    }

    pub(super) fn refuse(&self, reason: String) -> StoreError {
        StoreError::Open { path: format!("at {} (storage.url)", self.address), reason }
    }

    /// It took the connection and says nothing.
    pub(super) fn silent(&self) -> StoreError {
        self.refuse("it does not answer; is it PostgreSQL, and is it well?".to_owned())
    }

    /// It could not be reached, or did not let us in.
    pub(super) fn refused(&self, error: &sqlx::Error) -> StoreError {
        self.refuse(match error {
            sqlx::Error::Database(error) => self.remedy(&**error),
            sqlx::Error::Io(error) if is_tls(error) => tls_failed(error),
            sqlx::Error::Io(error) => {
                format!("{error}; is PostgreSQL running there, and reachable from here?")
            }
            sqlx::Error::Tls(error) => tls_failed(error),
            other => other.to_string(),
        })
    }

    /// The schema could not be brought to this version.
    pub(super) fn refused_to_migrate(&self, error: &MigrateError) -> StoreError {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                self.refused(error)
            }
            other => self.refuse(other.to_string()),
        }
    }

    /// What the server says, and what to do. Codes:
    /// <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    fn remedy(&self, error: &dyn DatabaseError) -> String {
        let Self { user, database, .. } = self;
        let remedy = match error.code().as_deref() {
            Some("28P01" | "28000") => "check the user and the password in storage.url".to_owned(),
            Some("3D000") => {
                format!("make it with: CREATE DATABASE \"{database}\" OWNER \"{user}\"")
            }
            Some("42501") => format!(
                "the user must own the database, or be given: GRANT CREATE, USAGE ON SCHEMA public \
                 TO \"{user}\""
            ),
            Some("53300") => {
                "raise max_connections of PostgreSQL or lower storage.max_connections".to_owned()
            }
            _ => return error.message().to_owned(),
        };
        format!("{}; {remedy}", error.message())
    }
}

/// The handshake's errors arrive as the socket's.
fn is_tls(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
}

fn tls_failed(error: &impl std::fmt::Display) -> String {
    format!(
        "TLS failed: {error}; sslrootcert in storage.url names the file with the certificate \
         authority, and the host must be one that the certificate is for"
    )
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposed(url: &str) -> bool {
        read(url).unwrap().1.is_exposed()
    }

    #[test]
    fn a_connection_that_leaves_the_machine_unverified_is_noticed() {
        assert!(exposed("postgres://u:p@db.example.com/x"));
        assert!(exposed("postgres://u:p@10.0.0.1/x?sslmode=require"));
        assert!(!exposed("postgres://u:p@db.example.com/x?sslmode=verify-full"));
        assert!(!exposed("postgres://u:p@127.0.0.1/x"));
        assert!(!exposed("postgres://u:p@localhost/x"));
        assert!(!exposed("postgres:///x?host=/var/run/postgresql"));
    }

    #[test]
    fn what_is_wrong_with_a_url_is_told_without_repeating_secrets() {
        for (url, told) in [
            ("postgres://u:canary-1@db:notaport/x", "must look like"),
            ("postgres://u@db/x?sslpassword=canary-1", "\"sslpassword\", which is none"),
            ("postgres://u@db/x?sslmode=canary-1", "must look like"),
        ] {
            let error = read(url).err().unwrap().to_string();
            assert!(error.contains("storage.url") && error.contains(told), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
