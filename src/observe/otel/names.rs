//! Attribute names of OpenTelemetry's conventions
//! (<https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>,
//! <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>), and this gateway's own.

pub const ERROR_TYPE: &str = "error.type";
pub const HTTP_METHOD: &str = "http.request.method";
pub const HTTP_RESEND_COUNT: &str = "http.request.resend_count";
pub const HTTP_ROUTE: &str = "http.route";
pub const HTTP_STATUS: &str = "http.response.status_code";
pub const SERVER_ADDRESS: &str = "server.address";
pub const SERVER_PORT: &str = "server.port";
pub const URL_SCHEME: &str = "url.scheme";

pub const OPERATION: &str = "gen_ai.operation.name";
pub const PROVIDER: &str = "gen_ai.provider.name";
pub const REQUEST_MODEL: &str = "gen_ai.request.model";
pub const REQUEST_STREAM: &str = "gen_ai.request.stream";
pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
pub const FIRST_CHUNK: &str = "gen_ai.response.time_to_first_chunk";
pub const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
pub const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
pub const CACHE_READ_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";
pub const CACHE_WRITE_TOKENS: &str = "gen_ai.usage.cache_creation.input_tokens";
pub const REASONING_TOKENS: &str = "gen_ai.usage.reasoning.output_tokens";

/// The alias that the client's model resolved to.
pub const ALIAS: &str = "turnpike.alias";
/// The provider's name, as the organization calls it.
pub const ROUTE_PROVIDER: &str = "turnpike.provider";
/// Attempts on routes, retries in place not counted.
pub const ROUTES_TRIED: &str = "turnpike.routes_tried";
/// Retries in place after a 429.
pub const RETRIES: &str = "turnpike.retries";
/// The check that denied the request.
pub const DENIED_BY: &str = "turnpike.denied_by";
/// The `x-request-id` of the answer.
pub const REQUEST_ID: &str = "turnpike.request_id";
