//! Copies of managed defaults: making them, and bringing them up to date.

use super::{DefaultPrice, Defaults};
use crate::domain::{ChangeSource, PriceId, PriceVersion, SyncMode, Timestamp, UserId};

/// A rule that says what a default says.
#[must_use]
pub fn copy_of(
    default: &DefaultPrice,
    sync_mode: SyncMode,
    now: Timestamp,
    by: Option<UserId>,
) -> PriceVersion {
    PriceVersion {
        id: PriceId::random(),
        provider_id: None,
        model_provider: Some(default.provider_slug.clone()),
        catalog_slug: Some(default.provider_slug.clone()),
        model_pattern: default.model_pattern.clone(),
        rates: default.rates,
        effective_from: now,
        sync_mode,
        change_source: ChangeSource::Import,
        change_reason: None,
        is_archived: false,
        created_by: by,
    }
}

/// The versions by which rules that are not pinned come to say again what the defaults say.
/// `versions` are the current ones and those to come; `wanted` leaves out other defaults.
#[must_use]
pub fn due(
    versions: &[PriceVersion],
    defaults: &Defaults,
    source: ChangeSource,
    wanted: impl Fn(PriceId) -> bool,
    now: Timestamp,
) -> Vec<PriceVersion> {
    let follows = |mode| match source {
        ChangeSource::SyncAuto => mode == SyncMode::Auto,
        _ => mode != SyncMode::Pinned,
    };
    let current = versions.iter().filter(|version| {
        version.effective_from <= now
            && !version.is_archived
            && version.provider_id.is_none()
            && follows(version.sync_mode)
    });
    current
        .filter_map(|version| {
            let slug = version.model_provider.as_deref()?;
            let default = defaults.of_rule(slug, &version.model_pattern)?;
            (wanted(default.id) && default.rates != version.rates).then(|| PriceVersion {
                id: PriceId::random(),
                rates: default.rates,
                effective_from: now,
                change_source: source,
                change_reason: None,
                created_by: None,
                ..version.clone()
            })
        })
        .collect()
}
