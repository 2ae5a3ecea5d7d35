//! TLS between the gateway and PostgreSQL.

use super::fleet::replica;
use crate::support::{PostgresServer, tls};

const ONLY_TLS: &str = "local all all trust\nhostssl all all 127.0.0.1/32 trust\n";

#[tokio::test]
async fn a_server_is_trusted_by_its_authority_and_no_other() {
    let (certificate, key) = tls::TRUSTED.server_pem();
    let files = [("server.crt", &*certificate), ("server.key", &*key), ("hba.conf", ONLY_TLS)];
    let settings = [
        "ssl=on",
        "ssl_cert_file=../server.crt",
        "ssl_key_file=../server.key",
        "hba_file=hba.conf",
    ];
    let server = PostgresServer::start_with(&files, &settings);
    let folder = tempfile::tempdir().unwrap();
    let authority = |name: &str, pem: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let verified = |path: &str| {
        replica(&format!("{}?sslmode=verify-full&sslrootcert={path}", server.url("postgres")))
    };

    let gateway = verified(&authority("trusted.pem", tls::TRUSTED.pem())).start().await;
    gateway.org("acme").provider("openai").await;
    gateway.readiness().await.has_status(200);
    let ways = "SELECT DISTINCT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
        WHERE a.application_name = 'turnpike'";
    assert_eq!(server.psql("postgres", ways), "t");

    let stranger = verified(&authority("stranger.pem", tls::STRANGER.pem()));
    let output = stranger.command().arg("serve").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("TLS failed") && said.contains("sslrootcert"), "{said}");
    // Nor without TLS.
    let plain = replica(&format!("{}?sslmode=disable", server.url("postgres")));
    assert!(!plain.command().arg("serve").output().unwrap().status.success());
}
