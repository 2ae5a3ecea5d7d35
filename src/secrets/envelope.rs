//! AES-256-GCM envelopes bound to organization, record and field.
