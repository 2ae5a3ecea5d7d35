//! Embeddings, both ways.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{EmbeddingApi, EmbeddingRequest};

const ALL: [(EmbeddingApi, &str); 5] = [
    (EmbeddingApi::Gemini, "gemini-embedding-001"),
    (EmbeddingApi::Vertex, "text-embedding-005"),
    (EmbeddingApi::Vertex, "gemini-embedding-2"),
    (EmbeddingApi::BedrockTitan, "amazon.titan-embed-text-v2:0"),
    (EmbeddingApi::BedrockCohere, "cohere.embed-v4:0"),
];

fn written(api: EmbeddingApi, model: &str, body: &Value) -> Vec<Value> {
    let body = body.to_string();
    let request = EmbeddingRequest::read(body.as_bytes()).unwrap();
    let bodies = api.write(&request, model).unwrap();
    bodies.iter().map(|body| serde_json::from_slice(body).unwrap()).collect()
}

fn read(
    api: EmbeddingApi,
    request: &Value,
    answers: &[Value],
    counted: Option<u64>,
) -> Result<Value, String> {
    let request = request.to_string();
    let request = EmbeddingRequest::read(request.as_bytes()).unwrap();
    // Google indents.
    let answers: Vec<_> =
        answers.iter().map(|answer| serde_json::to_vec_pretty(answer).unwrap()).collect();
    let answers: Vec<_> = answers.iter().map(Vec::as_slice).collect();
    let list = api.read(&answers, &request, "m-1", counted).map_err(|fault| fault.to_string())?;
    Ok(serde_json::from_slice(&list.body).unwrap())
}

fn refused(body: &str) -> (&'static str, String) {
    let refusal = EmbeddingRequest::read(body.as_bytes()).unwrap_err();
    (refusal.code, refusal.param.unwrap())
}

fn two() -> Value {
    json!({"model": "m", "input": ["a", "b"], "dimensions": 256, "user": "u"})
}

#[test]
fn ai_studio_gets_a_batch() {
    let one = |text: &str| {
        json!({"model": "models/gemini-embedding-001", "content": {"parts": [{"text": text}]},
            "outputDimensionality": 256})
    };
    for model in ["gemini-embedding-001", "models/gemini-embedding-001"] {
        assert_eq!(
            written(EmbeddingApi::Gemini, model, &two()),
            [json!({"requests": [one("a"), one("b")]})]
        );
    }
}

#[test]
fn vertex_gets_instances_and_keeps_long_texts_whole() {
    assert_eq!(
        written(EmbeddingApi::Vertex, "text-embedding-005", &two()),
        [json!({"instances": [{"content": "a"}, {"content": "b"}],
            "parameters": {"autoTruncate": false, "outputDimensionality": 256}})]
    );
    let one = |text: &str| json!({"instances": [{"content": text}], "parameters": {"autoTruncate": false}});
    let plain = json!({"input": ["a", "b"]});
    assert_eq!(written(EmbeddingApi::Vertex, "gemini-embedding-001", &plain), [one("a"), one("b")]);
    assert_eq!(
        written(EmbeddingApi::Vertex, "gemini-embedding-2", &json!({"input": "a"})),
        [
            json!({"content": {"parts": [{"text": "a"}]}, "embedContentConfig": {"autoTruncate": false}})
        ]
    );
}

#[test]
fn titan_gets_one_text_a_call() {
    let one = |text: &str| json!({"inputText": text, "dimensions": 256, "normalize": true});
    assert_eq!(
        written(EmbeddingApi::BedrockTitan, "amazon.titan-embed-text-v2:0", &two()),
        [one("a"), one("b")]
    );
    assert_eq!(
        written(EmbeddingApi::BedrockTitan, "amazon.titan-embed-text-v1", &json!({"input": "a"})),
        [json!({"inputText": "a"})]
    );
}

#[test]
fn cohere_gets_texts_and_what_they_are_for() {
    assert_eq!(
        written(EmbeddingApi::BedrockCohere, "us.cohere.embed-v4:0", &two()),
        [json!({"texts": ["a", "b"], "input_type": "search_document", "truncate": "NONE",
            "embedding_types": ["float"], "output_dimension": 256})]
    );
    let query = json!({"input": "a", "input_type": "search_query"});
    let body = &written(EmbeddingApi::BedrockCohere, "cohere.embed-english-v3", &query)[0];
    assert_eq!(body["input_type"], "search_query");
    assert!(body["output_dimension"].is_null());
}

#[test]
fn models_of_one_length_refuse_another() {
    let body = two().to_string();
    let request = EmbeddingRequest::read(body.as_bytes()).unwrap();
    for (api, model) in [
        (EmbeddingApi::BedrockTitan, "amazon.titan-embed-text-v1"),
        (EmbeddingApi::BedrockCohere, "cohere.embed-multilingual-v3"),
    ] {
        let refusal = api.write(&request, model).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.param.as_deref()),
            ("unsupported_parameter", Some("dimensions"))
        );
    }
}

#[test]
fn many_texts_are_split_into_calls() {
    let inputs: Vec<_> = (0..260).map(|number| number.to_string()).collect();
    let body = json!({"input": inputs});
    for ((api, model), calls) in ALL.into_iter().zip([3, 2, 260, 260, 3]) {
        assert_eq!(written(api, model, &body).len(), calls, "{api:?} {model}");
    }
}

#[test]
fn models_and_methods_are_known_by_name() {
    use EmbeddingApi::{BedrockCohere, BedrockTitan, Gemini, Vertex};
    for (model, api) in [
        ("amazon.titan-embed-text-v1", Some(BedrockTitan)),
        ("amazon.titan-embed-text-v2:0", Some(BedrockTitan)),
        ("cohere.embed-english-v3", Some(BedrockCohere)),
        ("global.cohere.embed-v4:0", Some(BedrockCohere)),
        ("arn:aws:bedrock:us-east-1::foundation-model/cohere.embed-v4:0", Some(BedrockCohere)),
        ("amazon.titan-embed-image-v1", None),
        ("cohere.command-r-v1:0", None),
    ] {
        assert_eq!(EmbeddingApi::of_bedrock(model), api, "{model}");
    }
    for (api, model, method) in [
        (Gemini, "gemini-embedding-001", "batchEmbedContents"),
        (Vertex, "gemini-embedding-001", "predict"),
        (Vertex, "text-embedding-005", "predict"),
        (Vertex, "gemini-embedding-2", "embedContent"),
        (BedrockTitan, "amazon.titan-embed-text-v1", "invoke"),
    ] {
        assert_eq!(api.method(model), method);
    }
}

#[test]
fn the_answers_of_every_vendor_become_one_list() {
    let list = |usage: Value| {
        json!({"object": "list", "data": [
            {"object": "embedding", "index": 0, "embedding": [0.25, -1.5e-3]},
            {"object": "embedding", "index": 1, "embedding": [1, 0.5]},
        ], "model": "m-1", "usage": usage})
    };
    let used = |tokens: u64| json!({"prompt_tokens": tokens, "total_tokens": tokens});
    let (a, b) = (json!([0.25, -1.5e-3]), json!([1, 0.5]));
    let predicted = |values: &Value| json!({"embeddings": {"values": values, "statistics": {"token_count": 3.0, "truncated": false}}});
    let titan = |values: &Value| json!({"embedding": values, "inputTextTokenCount": 4, "embeddingsByType": {"float": values}});
    let batch = json!({"embeddings": [{"values": a}, {"values": b}]});
    let mut counted_batch = batch.clone();
    counted_batch["usageMetadata"] = json!({"promptTokenCount": 5});
    let embed = |values: &Value| json!({"embedding": {"values": values}, "usageMetadata": {"promptTokenCount": 2}});
    let cohere = json!({"id": "x", "response_type": "embeddings_by_type",
        "embeddings": {"float": [a, b]}, "texts": ["a", "b"]});
    let floats = json!({"response_type": "embeddings_floats", "embeddings": [a, b]});
    for (api, answers, counted, usage) in [
        (EmbeddingApi::Gemini, vec![batch.clone()], None, used(1)),
        (EmbeddingApi::Gemini, vec![batch], Some(7), used(7)),
        (EmbeddingApi::Gemini, vec![counted_batch], Some(7), used(5)),
        (
            EmbeddingApi::Vertex,
            vec![json!({"predictions": [predicted(&a), predicted(&b)]})],
            None,
            used(6),
        ),
        (
            EmbeddingApi::Vertex,
            vec![json!({"predictions": [predicted(&a)]}), json!({"predictions": [predicted(&b)]})],
            None,
            used(6),
        ),
        (EmbeddingApi::Vertex, vec![embed(&a), embed(&b)], None, used(4)),
        (EmbeddingApi::BedrockTitan, vec![titan(&a), titan(&b)], Some(9), used(8)),
        (EmbeddingApi::BedrockCohere, vec![cohere], Some(9), used(9)),
        (EmbeddingApi::BedrockCohere, vec![floats], None, used(1)),
    ] {
        let asked = json!({"input": ["a", "b"]});
        assert_eq!(read(api, &asked, &answers, counted).unwrap(), list(usage), "{api:?}");
    }
}

#[test]
fn the_vendors_own_digits_are_kept() {
    let body = br#"{"embedding":[0.10000000149011612, 1E-9 ,-0.0],"inputTextTokenCount":1}"#;
    let request = EmbeddingRequest::read(br#"{"input":"a"}"#).unwrap();
    let list = EmbeddingApi::BedrockTitan.read(&[body], &request, "m\"1", None).unwrap();
    assert_eq!(
        String::from_utf8(list.body).unwrap(),
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10000000149011612,1E-9,-0.0]}],"model":"m\"1","usage":{"prompt_tokens":1,"total_tokens":1}}"#
    );
}

#[test]
fn tokens_that_nobody_counted_are_guessed_and_said_to_be() {
    let request = EmbeddingRequest::read(br#"{"input":["twelve bytes","and 8 (8)"]}"#).unwrap();
    let body = br#"{"embeddings":[{"values":[1]},{"values":[1]}]}"#;
    let of = |counted| EmbeddingApi::Gemini.read(&[body], &request, "m", counted).unwrap();
    assert!(of(None).estimated && !of(Some(5)).estimated);
    let list: Value = serde_json::from_slice(&of(None).body).unwrap();
    let tokens = list["usage"]["prompt_tokens"].as_u64().unwrap();
    assert!((4..12).contains(&tokens) && list["usage"]["total_tokens"] == tokens, "{list}");
}

#[test]
fn shortened_vectors_of_google_have_length_1_as_openais_have() {
    let embed = |values: Value| json!({"embeddings": [{"values": values}]});
    let of = |api, request: &Value, answer: &Value| {
        let list = read(api, request, std::slice::from_ref(answer), Some(1)).unwrap();
        serde_json::from_value::<Vec<f32>>(list["data"][0]["embedding"].clone()).unwrap()
    };
    let short = json!({"input": "a", "dimensions": 2});
    assert_eq!(of(EmbeddingApi::Gemini, &short, &embed(json!([0.3, 0.4]))), [0.6, 0.8]);
    let predicted = json!({"predictions": [{"embeddings": {"values": [-3.0, 4.0]}}]});
    assert_eq!(of(EmbeddingApi::Vertex, &short, &predicted), [-0.6, 0.8]);
    // As it came: at its full size, of that length already, or of none.
    let full = json!({"input": "a"});
    assert_eq!(of(EmbeddingApi::Gemini, &full, &embed(json!([0.3, 0.4]))), [0.3, 0.4]);
    assert_eq!(of(EmbeddingApi::Gemini, &short, &embed(json!([0.6, 0.8]))), [0.6, 0.8]);
    assert_eq!(of(EmbeddingApi::Gemini, &short, &embed(json!([0, 0]))), [0.0, 0.0]);
    // Others' are as their vendor makes them.
    let titan = json!({"embedding": [0.3, 0.4]});
    assert_eq!(of(EmbeddingApi::BedrockTitan, &short, &titan), [0.3, 0.4]);
    let coded = json!({"input": "a", "dimensions": 2, "encoding_format": "base64"});
    let list = read(EmbeddingApi::Gemini, &coded, &[embed(json!([0.3, 0.4]))], Some(1)).unwrap();
    let bytes = STANDARD.decode(list["data"][0]["embedding"].as_str().unwrap()).unwrap();
    assert_eq!(bytes, [0.6_f32.to_le_bytes(), 0.8_f32.to_le_bytes()].concat());
}

#[test]
fn every_vendor_is_told_in_its_own_word_what_the_vectors_are_for() {
    let gemini = |word: Value| {
        let body = json!({"input": "a", "input_type": word});
        written(EmbeddingApi::Gemini, "gemini-embedding-001", &body)[0]["requests"][0].clone()
    };
    assert_eq!(gemini(json!("search_query"))["taskType"], "RETRIEVAL_QUERY");
    assert_eq!(gemini(json!("passage"))["taskType"], "RETRIEVAL_DOCUMENT");
    assert_eq!(gemini(json!("SEMANTIC_SIMILARITY"))["taskType"], "SEMANTIC_SIMILARITY");
    assert!(gemini(json!(null))["taskType"].is_null());
    let task = json!({"input": "a", "task_type": "retrieval_query"});
    let vertex = |model| written(EmbeddingApi::Vertex, model, &task)[0].clone();
    assert_eq!(vertex("text-embedding-005")["instances"][0]["task_type"], "RETRIEVAL_QUERY");
    // It has no such member.
    assert!(!vertex("gemini-embedding-2").to_string().contains("RETRIEVAL"));
    let cohere = &written(EmbeddingApi::BedrockCohere, "cohere.embed-v4:0", &task)[0];
    assert_eq!(cohere["input_type"], "search_query");
    // Google's own default, and no word at all.
    for nothing in ["TASK_TYPE_UNSPECIFIED", ""] {
        assert!(gemini(json!(nothing))["taskType"].is_null(), "{nothing}");
    }
    for word in ["SEMANTIC_SIMILARITY", "TASK_TYPE_UNSPECIFIED", ""] {
        let body = json!({"input": "a", "input_type": word});
        let cohere = &written(EmbeddingApi::BedrockCohere, "cohere.embed-v4:0", &body)[0];
        assert_eq!(cohere["input_type"], "search_document", "{word}");
    }
    let body = br#"{"input":"a","input_type":"image"}"#;
    let request = EmbeddingRequest::read(body).unwrap();
    let refusal = EmbeddingApi::Gemini.write(&request, "gemini-embedding-001").unwrap_err();
    assert_eq!(
        (refusal.code, refusal.param.as_deref()),
        ("unsupported_parameter", Some("input_type"))
    );
}

#[test]
fn base64_is_the_same_vector() {
    let numbers = [0.25_f32, -1.5e-3, 3.0, f32::MIN_POSITIVE, -0.1];
    let answer = json!({"embedding": numbers, "inputTextTokenCount": 1});
    let of = |format: &str| {
        let request = json!({"input": "a", "encoding_format": format});
        let list = read(EmbeddingApi::BedrockTitan, &request, std::slice::from_ref(&answer), None)
            .unwrap();
        list["data"][0]["embedding"].clone()
    };
    let floats: Vec<f32> = serde_json::from_value(of("float")).unwrap();
    let bytes = STANDARD.decode(of("base64").as_str().unwrap()).unwrap();
    let decoded: Vec<f32> =
        bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
    assert_eq!(bytes.len(), 4 * numbers.len());
    assert!(decoded == floats && floats == numbers);
}

#[test]
fn what_is_no_answer_is_told_so_without_its_words() {
    for (api, answers) in [
        (EmbeddingApi::Gemini, vec![json!({})]),
        (EmbeddingApi::Gemini, vec![json!({"embeddings": [{"values": [1]}]})]),
        (EmbeddingApi::Gemini, vec![json!({"error": {"message": "secret"}})]),
        (EmbeddingApi::Vertex, vec![json!({"predictions": [{"embeddings": "secret"}]})]),
        (EmbeddingApi::BedrockTitan, vec![json!({"embedding": [1]})]),
        (
            EmbeddingApi::BedrockTitan,
            vec![json!({"embedding": ["secret"]}), json!({"embedding": [1]})],
        ),
        (EmbeddingApi::BedrockTitan, vec![json!({"embedding": []}), json!({"embedding": [1]})]),
        (EmbeddingApi::BedrockCohere, vec![json!({"embeddings": {"int8": [[1], [2]]}})]),
        (EmbeddingApi::BedrockCohere, vec![json!("secret")]),
    ] {
        let fault = read(api, &two(), &answers, None).unwrap_err();
        assert!(!fault.contains("secret"), "{fault}");
    }
}

#[test]
fn requests_that_are_wrong_are_refused_by_name() {
    for (body, code, param) in [
        (r#"{"input":[1,2]}"#, "unsupported_parameter", "input"),
        (r#"{"input":[[1,2],[3]]}"#, "unsupported_parameter", "input"),
        ("{}", "invalid_parameters", "input"),
        (r#"{"input":null}"#, "invalid_parameters", "input"),
        (r#"{"input":[]}"#, "invalid_parameters", "input"),
        (r#"{"input":""}"#, "invalid_parameters", "input"),
        (r#"{"input":["a",""]}"#, "invalid_parameters", "input[1]"),
        (r#"{"input":["a",{"x":1}]}"#, "invalid_parameters", "input"),
        (r#"{"input":"a","dimensions":0}"#, "invalid_parameters", "dimensions"),
        (r#"{"input":"a","dimensions":"x"}"#, "invalid_parameters", "dimensions"),
        (r#"{"input":"a","encoding_format":"hex"}"#, "invalid_parameters", "encoding_format"),
    ] {
        assert_eq!(refused(body), (code, param.to_owned()), "{body}");
    }
    let many = json!({"input": vec!["a"; 2049]}).to_string();
    assert_eq!(refused(&many).1, "input");
    let nulls = br#"{"input":"\u00e9","dimensions":null,"encoding_format":null}"#;
    assert_eq!(EmbeddingRequest::read(nulls).unwrap().inputs[0], "é");
}
