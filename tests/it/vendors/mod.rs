//! Vendors with an address or a credential of their own: where the gateway asks them, and how it shows
//! who it is.

mod answers;
mod azure;
mod bedrock;
mod gemini;
mod oauth;
mod oauth_fallback;
mod vertex;
