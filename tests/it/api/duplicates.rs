//! Names that must be unique within an organization are.

use super::{Estate, estate::call};
use crate::support::Gateway;

/// Operations that make something whose name nobody else in the organization may have.
const UNIQUE: &[&str] = &["createCredential", "createProvider", "createServiceAccount"];

#[tokio::test]
async fn a_name_that_is_taken_is_refused_by_name() {
    let gateway = Gateway::start().await;
    let acme = Estate::of(&gateway, "acme").await;
    for id in UNIQUE {
        let operation = acme.operation(id);
        let twice = acme.body(operation, "twice").expect("a body");
        call(acme.admin(), operation, "", Some(&twice)).await.has_status(200);
        let message =
            call(acme.admin(), operation, "", Some(&twice)).await.refusal(409, "Conflict");
        assert!(message.contains("twice"), "{id}: {message}");
    }
}

#[tokio::test]
async fn another_organization_may_have_the_same_name() {
    let gateway = Gateway::start().await;
    let acme = Estate::of(&gateway, "acme").await;
    let globex = Estate::of(&gateway, "globex").await;
    for id in UNIQUE {
        let operation = acme.operation(id);
        let body = globex.body(operation, "acme").expect("a body");
        call(globex.admin(), operation, "", Some(&body)).await.has_status(200);
    }
}
