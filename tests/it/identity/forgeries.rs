//! Forged and damaged tokens: each is 401, none is ever a failure of the gateway's, and none leads to
//! an answer that a good token of the same moment does not get.

use serde_json::{Value, json};

use super::IdScene;
use crate::support::{
    Gateway,
    oidc::{Forge, OpenIdProvider, SigningKey, base64url, now},
};

/// A 1024-bit key of an issuer `https://weak.test`, and a token that it signed until 2100.
const WEAK_MODULUS: &str = concat!(
    "yOnH9qc9r13xRgORDSuSpeywdDbBSKKfoGyO0s3MM72TGC2DPHEmSeX05dupczF1559XkBaIARg6fFXY-qTkPYoZlZ",
    "l40xFOAtTEjUw4xtsSoGveo1ueNc_gXkl_y38KxOI1Yml1dFqSbk9-tfwonSrp4g6N2NF88cleGGfPzi8",
);
const WEAK_TOKEN: &str = concat!(
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IndlYWsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL3dlYWsudGVzdCI",
    "sImF1ZCI6Imh0dHBzOi8vdHVybnBpa2UudGVzdCIsInN1YiI6ImFubiIsImV4cCI6NDEwMjQ0NDgwMCwib3JnYW5pe",
    "mF0aW9uIjoiYWNtZSIsInJvbGVzIjpbImFkbWluIl19.xp9MgZ6SLQFIbON4bSNKxWjMO2G0egLP0WTZX9WFXsNNF_",
    "W-6FU9jpd1F75zpJBSwypWrBELvQaCcbO9owZjU4KpGii7Vul2pNU1k66QL00a3sKhtM_0AYaAjP6fgJZm3u1xfQbi",
    "_HMFrZoakt1BI5RKub_TV21XiZC8KEr2luE",
);

/// Name and text of every forgery that an attacker makes of one good token.
fn forgeries(provider: &OpenIdProvider) -> Vec<(String, String)> {
    let mut all = Vec::new();
    all.extend(headers(provider));
    all.extend(claims(provider));
    all.extend(signatures(provider));
    all.extend(texts(provider));
    all
}

fn headers(provider: &OpenIdProvider) -> Vec<(String, String)> {
    let good = provider.token();
    let mut all = Vec::new();
    for name in ["none", "None", "NONE", "nOnE", "noNe", "nonE", "NoNe", " none", ""] {
        let unsigned = good.clone().header("alg", json!(name));
        all.push((format!("alg {name:?} without a signature"), unsigned.with_signature("")));
        all.push((format!("alg {name:?} with a signature"), unsigned.sign()));
    }
    for name in ["rs256", "RS1", "RS384", "PS256", "ES256", "EdDSA", "HS512", "RSA-OAEP", "dir"] {
        let token = good.clone().header("alg", json!(name)).sign();
        all.push((format!("alg {name} over an RS256 signature"), token));
    }
    let public = provider.key().public_bytes();
    let modulus = provider.key().modulus();
    let jwk = provider.key().jwk().to_string();
    for alg in ["HS256", "HS384", "HS512", "RS256"] {
        let token = good.clone().header("alg", json!(alg));
        for (what, secret) in
            [("der", &public[..]), ("modulus", &modulus), ("jwk", jwk.as_bytes()), ("nothing", b"")]
        {
            all.push((
                format!("{alg} with the public key ({what}) as a secret"),
                token.hmac(secret),
            ));
        }
    }
    let attacker = SigningKey::new("attacker", "RS256");
    let own = Forge::new(&attacker, good.claims.clone());
    let set = json!({"keys": [attacker.jwk()]});
    let embedded = [
        ("jwk", attacker.jwk()),
        ("jku", json!("https://evil.example/keys")),
        ("jku", json!(format!("data:application/json,{set}"))),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!([base64url(attacker.public_bytes())])),
        ("jwks", set),
    ];
    for (name, value) in embedded {
        let kid = json!(provider.key().kid);
        let token = own.clone().header(name, value);
        all.push((format!("{name} of the attacker's"), token.sign()));
        all.push((format!("{name} under the issuer's key id"), token.header("kid", kid).sign()));
    }
    for kid in [
        "../../../../dev/null",
        "/dev/null",
        "' OR '1'='1",
        "first\u{0}",
        "first ",
        "FIRST",
        "",
        "http://127.0.0.1/key",
        "$(id)",
        "../first",
    ] {
        let signed = own.clone().header("kid", json!(kid));
        all.push((format!("kid {kid:?}"), signed.sign()));
        all.push((
            format!("kid {kid:?}, HMAC of nothing"),
            signed.header("alg", json!("HS256")).hmac(b""),
        ));
    }
    all.push(("kid too long".into(), own.clone().header("kid", json!("k".repeat(9000))).sign()));
    for kid in [json!(7), json!(["first"]), json!({"a": 1}), json!(true)] {
        all.push((format!("kid {kid}"), good.clone().header("kid", kid).sign()));
    }
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(["b64"])),
        ("crit", json!("exp")),
        ("b64", json!(false)),
        ("typ", json!("logout+jwt")),
        ("typ", json!("secevent+jwt")),
        ("typ", json!(7)),
        ("alg", json!(["RS256"])),
        ("alg", json!(null)),
        ("alg", json!({})),
    ] {
        all.push((format!("{name}: {value}"), good.clone().header(name, value).sign()));
    }
    all
}

fn claims(provider: &OpenIdProvider) -> Vec<(String, String)> {
    let good = provider.token();
    let issuer = provider.issuer();
    let bad = [
        ("iss", json!(null)),
        ("iss", json!("")),
        ("iss", json!(7)),
        ("iss", json!([issuer])),
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{issuer}x"))),
        ("iss", json!(issuer.to_uppercase())),
        ("iss", json!(format!(" {issuer}"))),
        ("iss", json!(format!("{issuer}/.."))),
        ("iss", json!(format!("{issuer}?a"))),
        ("iss", json!("turnpike")),
        ("iss", json!("turnpike/")),
        ("aud", json!(null)),
        ("aud", json!("")),
        ("aud", json!([])),
        ("aud", json!("account")),
        ("aud", json!("https://turnpike.test/")),
        ("aud", json!("HTTPS://TURNPIKE.TEST")),
        ("aud", json!({"https://turnpike.test": 1})),
        ("aud", json!(["https://turnpike.test", 7])),
        ("exp", json!(null)),
        ("exp", json!(now() - 31)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!("9999999999")),
        ("exp", json!(1e300)),
        ("exp", json!(9_999_999_999.5)),
        ("exp", json!([now() + 600])),
        ("exp", json!({})),
        ("exp", json!(true)),
        ("nbf", json!(now() + 120)),
        ("nbf", json!("0")),
        ("nbf", json!(1.5)),
        ("nbf", json!(i64::MAX)),
        ("iat", json!(now() + 3600)),
        ("iat", json!("now")),
        ("iat", json!([])),
        ("sub", json!(null)),
        ("sub", json!("")),
        ("sub", json!("   ")),
        ("sub", json!(7)),
        ("sub", json!(["ann"])),
        ("sub", json!("a\u{0}b")),
        ("sub", json!("a\nb")),
        ("sub", json!("x".repeat(600))),
        ("organization", json!(null)),
        ("organization", json!("globex")),
        ("organization", json!([])),
        ("organization", json!(7)),
        ("organization", json!("acme\u{0}")),
    ];
    let told = |(name, value): (&str, Value)| {
        let what = format!("{name}: {value}");
        (what, good.clone().claim(name, value).sign())
    };
    let mut all: Vec<_> = bad.into_iter().map(told).collect();
    let whole = good.claims.to_string();
    let head = good.header.to_string();
    let twice = |more: &str| format!("{},{more}}}", &whole[..whole.len() - 1]);
    for more in [
        r#""sub":"root""#,
        r#""s\u0075b":"root""#,
        r#""exp":9999999999"#,
        r#""aud":"x""#,
        r#""realm_access":{"roles":["superadmin"]}"#,
        r#""x":{"a":1,"a":2}"#,
    ] {
        all.push((format!("claims with {more} again"), good.sign_texts(&head, &twice(more))));
    }
    let again = format!("{},\"alg\":\"RS256\"}}", &head[..head.len() - 1]);
    all.push(("header with alg again".into(), good.sign_texts(&again, &whole)));
    for text in ["", "{}", "[]", "null", "7", "\"x\"", "{", "{\"iss\":", "\u{feff}{}"] {
        all.push((format!("claims {text:?}"), good.sign_texts(&head, text)));
        all.push((format!("header {text:?}"), good.sign_texts(text, &whole)));
    }
    all.push(("claims and more".into(), good.sign_texts(&head, &format!("{whole} x"))));
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(1000), "]".repeat(1000));
    all.push(("claims too deep".into(), good.sign_texts(&head, &deep)));
    all
}

fn signatures(provider: &OpenIdProvider) -> Vec<(String, String)> {
    let good = provider.token();
    let token = good.sign();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let stranger = SigningKey::new("first", "RS256");
    let mut all = vec![
        ("no signature".into(), good.with_signature("")),
        ("a signature of zeros".into(), good.with_signature(&base64url([0; 256]))),
        ("a signature of one byte".into(), good.with_signature("AA")),
        ("another's signature".into(), Forge::new(&stranger, good.claims.clone()).sign()),
        ("a cut signature".into(), token[..token.len() - 4].to_owned()),
        ("a longer signature".into(), format!("{token}AAAA")),
        ("a padded signature".into(), format!("{token}==")),
        ("the signature of PS256".into(), {
            Forge::new(&provider.key().by("PS256"), good.claims.clone()).sign()
        }),
        ("PS256 under the name of RS256".into(), {
            let forged = Forge::new(&provider.key().by("PS256"), good.claims.clone());
            forged.header("alg", json!("RS256")).sign()
        }),
        ("an ES256 key under the issuer's id".into(), {
            Forge::new(&SigningKey::new("first", "ES256"), good.claims.clone()).sign()
        }),
    ];
    for at in [0, 40, signature.len() - 1] {
        let mut bytes = signature.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        all.push((format!("a signature changed at {at}"), format!("{signed}.{changed}")));
    }
    let other = good.clone().claim("sub", json!("root"));
    all.push(("the signature of other claims".into(), other.with_signature(signature)));
    all
}

fn texts(provider: &OpenIdProvider) -> Vec<(String, String)> {
    let token = provider.token().sign();
    let parts: Vec<&str> = token.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    let huge = provider.token().claim("padding", json!("x".repeat(20_000))).sign();
    [
        ("an empty text", String::new()),
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{token}.{signature}")),
        ("five parts, as encrypted tokens have", format!("{header}.{claims}.{signature}.a.b")),
        ("dots", "..".to_owned()),
        ("the parts in another order", format!("{claims}.{header}.{signature}")),
        ("half a token", token[..token.len() / 2].to_owned()),
        ("the token twice", format!("{token}{token}")),
        ("a space in it", token.replacen('.', ". ", 1)),
        ("two tokens", format!("{token} {token}")),
        ("a tab in it", token.replacen('.', ".\t", 1)),
        ("percent signs", token.replace('.', "%2E")),
        ("padding", format!("{header}=.{claims}.{signature}")),
        ("the other base64", format!("{header}.{claims}+/.{signature}")),
        ("quotes", format!("\"{token}\"")),
        ("a comma after it", format!("{token},")),
        ("letters beyond ASCII", format!("{header}.{claims}.é")),
        ("a gateway key", "bd-0123456789abcdefghijABCDEFGHIJ0123456789".to_owned()),
        ("a huge token", huge),
        ("a million letters", "x".repeat(40_000)),
        ("JSON", "{\"token\":1}".to_owned()),
    ]
    .map(|(what, text)| (what.to_owned(), text))
    .to_vec()
}

#[tokio::test]
async fn forged_and_damaged_tokens_are_401_on_every_surface() {
    let scene = IdScene::new().await;
    let good = scene.provider.token().sign();
    scene.administer(&good).await.has_status(200);
    let began = std::time::Instant::now();
    let forged = forgeries(&scene.provider);
    assert!(forged.len() >= 150, "{}", forged.len());
    let mut wrong = Vec::new();
    for (what, token) in &forged {
        for path in ["/api/llm-gateway/admin/users", "/api/llm-gateway/user/api-keys"] {
            let answer = scene.holder(token).get(path).await;
            // The server's own limit of a head.
            let too_long = token.len() > 15_000 && [400, 414, 431].contains(&answer.status);
            if answer.status != 401 && !too_long {
                wrong.push(format!("{what}: {}", answer.tell()));
            }
            if answer.status == 401 {
                let message = answer.refusal(401, "Unauthorized");
                assert!(!message.contains("canary") && message.len() < 200, "{what}: {message}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let allowed = 2 + usize::try_from(began.elapsed().as_secs() / 30).unwrap();
    assert!(scene.provider.key_fetches() <= allowed, "{}", scene.provider.key_fetches());
    let strangers: Vec<_> = scene.provider.asked();
    assert!(strangers.iter().all(|path| path.starts_with("/realms/acme/")), "{strangers:?}");
    scene.administer(&good).await.has_status(200);
    let users = scene.administer(&good).await.json();
    assert_eq!(users.as_array().unwrap().len(), 1, "nobody was let in: {users}");
}

#[tokio::test]
async fn a_key_of_1024_bits_is_not_trusted_though_its_issuer_publishes_it() {
    let provider = OpenIdProvider::start().await;
    let weak = json!({
        "kty": "RSA", "kid": "weak", "alg": "RS256", "use": "sig", "n": WEAK_MODULUS, "e": "AQAB",
    });
    provider.publish_document(json!({"keys": [weak, provider.key().jwk()]}));
    let entry = json!({
        "issuer": "https://weak.test", "audience": "https://turnpike.test",
        "jwks_url": provider.jwks_url(), "organizations": ["acme"],
    });
    let gateway = Gateway::configured().set("auth.issuers", json!([entry])).start().await;
    let ask =
        async |token: &str| gateway.caller(token).get("/api/llm-gateway/admin/users").await.status;
    assert_eq!(ask(WEAK_TOKEN).await, 401);
    let strong = provider.token().claim("iss", json!("https://weak.test")).sign();
    assert_eq!(ask(&strong).await, 200, "the issuer's other key");
}

#[tokio::test]
async fn a_published_shared_secret_signs_nothing() {
    let scene = IdScene::new().await;
    let secret = b"a secret that everybody can read";
    let published = json!({"kty": "oct", "kid": "shared", "alg": "HS256", "k": base64url(secret)});
    scene.provider.publish_document(json!({"keys": [published, scene.provider.key().jwk()]}));
    let token = scene.provider.token().header("kid", json!("shared")).header("alg", json!("HS256"));
    scene.administer(&token.hmac(secret)).await.refusal(401, "Unauthorized");
    scene.administer(&scene.provider.token().sign()).await.has_status(200);
}

#[tokio::test]
async fn a_token_that_ends_is_refused_half_a_minute_later_and_no_earlier() {
    let scene = IdScene::new().await;
    let ending = |at: i64| scene.provider.token().claim("exp", json!(at)).sign();
    scene.administer(&ending(now() - 20)).await.has_status(200);
    scene.administer(&ending(now() - 31)).await.refusal(401, "Unauthorized");
    let starting = |at: i64| scene.provider.token().claim("nbf", json!(at)).sign();
    scene.administer(&starting(now() + 20)).await.has_status(200);
    scene.administer(&starting(now() + 40)).await.refusal(401, "Unauthorized");
}
