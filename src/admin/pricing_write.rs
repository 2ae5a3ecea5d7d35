//! The rules by which prices are written. Versions are only added; what has not taken effect may
//! still be changed or taken away.

use super::{
    error::AdminError,
    pricing_inputs::{Update, Wanted},
    providers,
};
use crate::{
    domain::{ChangeSource, OrgId, PriceId, PriceVersion, ProviderId, SyncMode, Timestamp, UserId},
    pricing::Rule,
    snapshot::line,
    store::{RuleKey, Tx},
};

const ARCHIVED: &str = "Archived by admin";
const RESTORED: &str = "Restored by admin";

/// Who writes, and when.
#[derive(Clone, Copy)]
pub(super) struct Writer {
    pub(super) org: OrgId,
    pub(super) user: UserId,
    pub(super) now: Timestamp,
}

/// What a deletion came to.
pub(super) struct Deleted {
    /// Versions that went, other than the one that was named.
    pub(super) cancelled: i64,
    /// The tombstone, where one was added.
    pub(super) tombstone: Option<PriceId>,
}

impl Writer {
    /// Sets or schedules a price; answers the version that says so, and whether it is new.
    pub(super) async fn set(
        self,
        tx: &mut Tx,
        wanted: Wanted,
    ) -> Result<(PriceId, bool), AdminError> {
        if let Some(provider) = wanted.key.provider_id {
            self.check_line(tx, provider, wanted.key.model_provider.as_deref()).await?;
        }
        let versions = self.versions(tx, &wanted.key).await?;
        let rule = Rule::new(&versions);
        let scheduled = wanted.effective_from.is_some_and(|at| at > self.now);
        let same = rule.says(&wanted.rates, wanted.sync_mode, self.now);
        if let (false, Some(same)) = (scheduled, same) {
            return Ok((same.id, false));
        }
        let instant = wanted.effective_from.unwrap_or_else(|| rule.at_once(self.now));
        check_instant(rule, instant, None, self.now)?;
        let version = PriceVersion {
            id: PriceId::random(),
            provider_id: wanted.key.provider_id,
            model_provider: wanted.key.model_provider,
            catalog_slug: wanted.catalog_slug,
            model_pattern: wanted.key.model_pattern,
            rates: wanted.rates,
            effective_from: instant,
            sync_mode: wanted.sync_mode,
            change_source: rule.source(scheduled),
            change_reason: wanted.change_reason,
            is_archived: false,
            created_by: Some(self.user),
        };
        tx.insert_price(self.org, &version, self.now).await?;
        Ok((version.id, true))
    }

    /// Changes a version that has not taken effect.
    pub(super) async fn change(
        self,
        tx: &mut Tx,
        stored: PriceVersion,
        body: Update,
    ) -> Result<(), AdminError> {
        if stored.effective_from <= self.now {
            return Err(AdminError::bad_request(
                "Past pricing versions are immutable. Create a new version (POST /admin/model-pricing) \
                 to change the current price.",
            ));
        }
        if body.effective_from.is_some_and(|at| at <= self.now) {
            return Err(AdminError::bad_request(
                "effective_from must be in the future; to set the price now, delete this version \
                 and POST one without effective_from",
            ));
        }
        let versions = self.versions(tx, &RuleKey::of(&stored)).await?;
        let changed = body.applied(stored);
        check_instant(Rule::new(&versions), changed.effective_from, Some(changed.id), self.now)?;
        tx.update_price(self.org, &changed).await?;
        Ok(())
    }

    /// Takes away a version that has not taken effect, or archives the rule of one that has.
    pub(super) async fn delete(
        self,
        tx: &mut Tx,
        named: &PriceVersion,
    ) -> Result<Deleted, AdminError> {
        if named.effective_from > self.now {
            tx.delete_price(self.org, named.id).await?;
            return Ok(Deleted { cancelled: 0, tombstone: None });
        }
        let versions = self.versions(tx, &RuleKey::of(named)).await?;
        let rule = Rule::new(&versions);
        let mut cancelled = 0;
        for pending in rule.pending(self.now) {
            tx.delete_price(self.org, pending.id).await?;
            cancelled += 1;
        }
        let living = rule.current(self.now).filter(|current| !current.is_archived);
        let tombstone = match living {
            Some(current) => Some(self.follow(tx, rule, current, true).await?),
            None => None,
        };
        Ok(Deleted { cancelled, tombstone })
    }

    /// Puts an archived rule's last prices into force again.
    pub(super) async fn restore(
        self,
        tx: &mut Tx,
        named: &PriceVersion,
    ) -> Result<PriceId, AdminError> {
        let versions = self.versions(tx, &RuleKey::of(named)).await?;
        let rule = Rule::new(&versions);
        match rule.current(self.now).filter(|current| current.is_archived) {
            Some(tombstone) => self.follow(tx, rule, tombstone, false).await,
            None => Err(AdminError::bad_request(
                "this pricing rule is not archived, so there is nothing to restore",
            )),
        }
    }

    /// Adds a version that says the same as `last` and only archives the rule or brings it back.
    async fn follow(
        self,
        tx: &mut Tx,
        rule: Rule<'_>,
        last: &PriceVersion,
        archive: bool,
    ) -> Result<PriceId, AdminError> {
        let (change_source, reason) = if archive {
            (ChangeSource::AdminArchive, ARCHIVED)
        } else {
            (ChangeSource::AdminRestore, RESTORED)
        };
        let version = PriceVersion {
            id: PriceId::random(),
            effective_from: rule.at_once(self.now),
            change_source,
            change_reason: Some(reason.to_owned()),
            is_archived: archive,
            created_by: Some(self.user),
            ..last.clone()
        };
        tx.insert_price(self.org, &version, self.now).await?;
        Ok(version.id)
    }

    async fn versions(self, tx: &mut Tx, key: &RuleKey) -> Result<Vec<PriceVersion>, AdminError> {
        let rows = tx.price_rule(self.org, key).await?;
        Ok(rows.into_iter().map(|row| row.version).collect())
    }

    /// A rule for one provider may name its vendor or catalog line, and no other.
    async fn check_line(
        self,
        tx: &mut Tx,
        provider: ProviderId,
        slug: Option<&str>,
    ) -> Result<(), AdminError> {
        let provider = providers::existing(tx, self.org, provider).await?;
        let line = line(&provider);
        match slug.filter(|slug| *slug != line.vendor && *slug != line.catalog) {
            None => Ok(()),
            Some(slug) => Err(AdminError::bad_request(format!(
                "model_provider '{slug}' is not that of the provider '{}', which is '{}'; leave it \
                 out, or provider_id",
                provider.name, line.vendor
            ))),
        }
    }
}

/// Whether a version may take effect at an instant: alone, and not behind what already has.
fn check_instant(
    rule: Rule<'_>,
    instant: Timestamp,
    but: Option<PriceId>,
    now: Timestamp,
) -> Result<(), AdminError> {
    if rule.has_at(instant, but) {
        return Err(AdminError::conflict(format!(
            "this pricing rule already has a version that takes effect at {instant}; send another \
             effective_from, or none to set the price now"
        )));
    }
    match rule.current(now).filter(|current| current.effective_from > instant) {
        Some(current) => Err(AdminError::bad_request(format!(
            "effective_from must not be before {}, when the rule's current version took effect; \
             leave it out to set the price now",
            current.effective_from
        ))),
        None => Ok(()),
    }
}

/// The mode in which defaults are copied where none is given.
pub(super) const IMPORT_MODE: SyncMode = SyncMode::Tracking;
