//! The expected signatures were made by another implementation: botocore's `SigV4Auth`
//! (<https://github.com/boto/botocore/blob/develop/botocore/auth.py>).

use super::*;

/// 2026-01-02T03:04:05Z, in seconds since 1970.
const NOW: u64 = 1_767_323_045;

fn signed(url: &str, region: &str, token: Option<&str>, body: &str) -> HeaderMap {
    let url: Uri = url.parse().unwrap();
    let target = Uri::try_from(url.path_and_query().unwrap().as_str()).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("host", url.authority().unwrap().as_str().parse().unwrap());
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    // May be changed on the way, so it is not signed.
    headers.insert("user-agent", HeaderValue::from_static("a client"));
    headers.insert("traceparent", HeaderValue::from_static("00-1-2-01"));
    let credentials = Credentials::new(
        "AKIDEXAMPLE",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        token.map(str::to_owned),
        None,
        "test",
    );
    let request = Signable {
        method: &Method::POST,
        target: &target,
        headers: &headers,
        body: body.as_bytes(),
    };
    let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(NOW);
    sign(&request, &credentials, "bedrock", region, now).unwrap().into_iter().collect()
}

fn authorization(region: &str, headers: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/{region}/bedrock/aws4_request, \
         SignedHeaders={headers}, Signature={signature}"
    )
}

#[test]
fn a_model_id_with_a_colon_is_signed_as_botocore_signs_it() {
    let headers = signed(
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse",
        "us-east-1",
        None,
        r#"{"messages":[]}"#,
    );
    assert_eq!(headers["x-amz-date"], "20260102T030405Z");
    assert!(!headers.contains_key("x-amz-security-token"));
    let signature = "a9506f9f4c5b6091fed745ac3db69638b5c228dc40589517d6c84d782d79e00c";
    let expected = authorization("us-east-1", "content-type;host;x-amz-date", signature);
    assert_eq!(headers["authorization"], expected);
}

#[test]
fn a_whole_arn_in_the_path_and_a_session_token_are_signed_as_botocore_signs_them() {
    let headers = signed(
        "https://bedrock-runtime.eu-west-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fab12cd/invoke-with-response-stream",
        "eu-west-1",
        Some("token/with+signs=="),
        r#"{"text":"grüße"}"#,
    );
    assert_eq!(headers["x-amz-security-token"], "token/with+signs==");
    let signature = "b591250e491487dfcbd3e8788d4ef119e584ee25b0f72fd880c63a8881be11fc";
    let names = "content-type;host;x-amz-date;x-amz-security-token";
    assert_eq!(headers["authorization"], authorization("eu-west-1", names, signature));
}

#[test]
fn an_address_with_a_port_and_a_prefix_is_signed_as_botocore_signs_it() {
    let headers = signed(
        "https://127.0.0.1:8443/proxy/model/amazon.nova-lite-v1%3A0/converse-stream",
        "ap-southeast-2",
        Some("t"),
        "",
    );
    let signature = "2a7acb0e3025ff23f5035b5d013c5fd62a30e8594b4dc4b40310999993e3e9d8";
    let names = "content-type;host;x-amz-date;x-amz-security-token";
    assert_eq!(headers["authorization"], authorization("ap-southeast-2", names, signature));
}

#[test]
fn what_is_secret_is_not_printed() {
    let headers = signed("https://host.example/model/m/converse", "eu-west-1", Some("canary"), "");
    assert!(!format!("{headers:?}").contains("canary"), "{headers:?}");
}
