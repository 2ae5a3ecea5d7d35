//! What differs from resource to resource: paths, which attributes go where, how it is read.

/// How the provider finds a resource again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// `GET <path>/<id>`
    ById,
    /// `GET <path>`, searched by id
    ByList,
    /// `GET <path>`: there is one
    Singleton,
}

/// One resource type.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub path: &'static str,
    pub reading: Reading,
    /// Sent on creation, where configured.
    pub created_with: &'static [&'static str],
    /// Sent on every update, where known.
    pub updated_with: &'static [&'static str],
    /// Sent on every update, as null where not configured.
    pub always_updated_with: &'static [&'static str],
    /// Cannot be sent on creation: an update follows where it is false.
    pub disabled_after: bool,
    /// Never answered.
    pub write_only: &'static [&'static str],
    /// Read from answers, and stable unless configured otherwise. (Health and `updated_at` may change
    /// by themselves.)
    pub read: &'static [&'static str],
}

/// `barndoor_llm_provider`
pub const PROVIDER: Kind = Kind {
    path: "/providers",
    reading: Reading::ById,
    created_with: &[
        "name",
        "model_provider",
        "base_url",
        "auth_type",
        "api_key",
        "settings",
        "enforce_health_check",
    ],
    updated_with: &[
        "name",
        "base_url",
        "auth_type",
        "api_key",
        "settings",
        "enabled",
        "enforce_health_check",
    ],
    always_updated_with: &[],
    disabled_after: true,
    write_only: &["api_key"],
    read: &[
        "id",
        "org_id",
        "name",
        "model_provider",
        "auth_type",
        "base_url",
        "enabled",
        "settings",
        "enforce_health_check",
        "created_at",
    ],
};

/// `barndoor_llm_model_mapping`
pub const MODEL_MAPPING: Kind = Kind {
    path: "/model-mappings",
    reading: Reading::ByList,
    created_with: &[
        "provider_id",
        "model_alias",
        "upstream_model",
        "enabled",
        "priority",
        "retry_on_429_count",
        "retry_on_429_max_wait_secs",
        "bare_alias",
        "stream_idle_timeout_secs",
        "request_timeout_secs",
    ],
    updated_with: &[
        "model_alias",
        "upstream_model",
        "enabled",
        "priority",
        "retry_on_429_count",
        "retry_on_429_max_wait_secs",
        "bare_alias",
        "stream_idle_timeout_secs",
        "request_timeout_secs",
    ],
    always_updated_with: &[],
    disabled_after: false,
    write_only: &[],
    read: &[
        "id",
        "provider_id",
        "model_alias",
        "upstream_model",
        "enabled",
        "priority",
        "retry_on_429_count",
        "retry_on_429_max_wait_secs",
        "bare_alias",
        "stream_idle_timeout_secs",
        "request_timeout_secs",
    ],
};

/// `barndoor_llm_model_access`
pub const MODEL_ACCESS: Kind = Kind {
    path: "/model-access",
    reading: Reading::ByList,
    created_with: &[
        "name",
        "scope_type",
        "scope_id",
        "scope_value",
        "policy_type",
        "targets",
        "traffic_type",
    ],
    updated_with: &[
        "name",
        "scope_type",
        "scope_id",
        "scope_value",
        "policy_type",
        "targets",
        "traffic_type",
        "enabled",
    ],
    always_updated_with: &[],
    disabled_after: true,
    write_only: &[],
    read: &[
        "id",
        "org_id",
        "name",
        "scope_type",
        "scope_id",
        "scope_value",
        "policy_type",
        "targets",
        "traffic_type",
        "enabled",
    ],
};

/// `barndoor_llm_rate_limit`. A limit that is disabled at its creation is a known defect of the
/// provider (it clears both metrics with the same call); its users create, then disable.
pub const RATE_LIMIT: Kind = Kind {
    path: "/rate-limits",
    reading: Reading::ByList,
    created_with: &[
        "name",
        "scope_type",
        "scope_id",
        "scope_value",
        "requests_per_minute",
        "tokens_per_minute",
        "traffic_type",
    ],
    updated_with: &["name", "scope_type", "scope_id", "scope_value", "traffic_type", "enabled"],
    always_updated_with: &["requests_per_minute", "tokens_per_minute"],
    disabled_after: false,
    write_only: &[],
    read: &[
        "id",
        "org_id",
        "name",
        "scope_type",
        "scope_id",
        "scope_value",
        "requests_per_minute",
        "tokens_per_minute",
        "traffic_type",
        "enabled",
    ],
};

/// `barndoor_llm_token_budget`
pub const TOKEN_BUDGET: Kind = Kind {
    path: "/budgets",
    reading: Reading::ByList,
    created_with: &[
        "name",
        "scope_type",
        "scope_id",
        "scope_value",
        "period",
        "token_limit",
        "alert_thresholds",
        "action_on_exhaust",
        "traffic_type",
    ],
    updated_with: &[
        "name",
        "token_limit",
        "alert_thresholds",
        "enabled",
        "period",
        "action_on_exhaust",
        "traffic_type",
    ],
    always_updated_with: &[],
    disabled_after: true,
    write_only: &[],
    read: &[
        "id",
        "org_id",
        "name",
        "scope_type",
        "scope_id",
        "scope_value",
        "period",
        "token_limit",
        "alert_thresholds",
        "action_on_exhaust",
        "traffic_type",
        "enabled",
        "created_at",
    ],
};

/// `barndoor_llm_governance_config`
pub const GOVERNANCE: Kind = Kind {
    path: "/governance-config",
    reading: Reading::Singleton,
    created_with: &["require_pricing_for_mappings"],
    updated_with: &["require_pricing_for_mappings"],
    always_updated_with: &[],
    disabled_after: false,
    write_only: &[],
    read: &["require_pricing_for_mappings"],
};
