//! The official clients of Google and AWS against the mock vendor itself: it speaks as they expect,
//! so what the gateway is tested with is what vendors say. `tests/sdk/oracles`.

use super::{PYTHON_RAN, passes, python};
use crate::support::MockVendor;

async fn reads_the_mock(pattern: &str) {
    let mock = MockVendor::start().await;
    let mut command = python("python", "oracles", pattern);
    command.env("MOCK_URL", mock.url());
    passes(command, PYTHON_RAN).await;
}

#[tokio::test]
async fn googles_client_reads_the_mock() {
    reads_the_mock("test_google.py").await;
}

#[tokio::test]
async fn awss_client_reads_the_mock() {
    reads_the_mock("test_aws.py").await;
}
