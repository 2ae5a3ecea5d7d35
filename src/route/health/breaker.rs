//! One route's breaker: healthy, ejected, or probed before it is used as usual again.
//!
//! Time is that of a clock which the caller reads; one that jumps, forwards or back, never ejects a route
//! nor keeps one ejected for longer than its cool-down.

use std::time::Duration;

use smallvec::SmallVec;

use super::{Cause, Change, Reason, Tuning, Verdict, Window, tuning::PROBES};

/// A state's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Used as usual.
    Healthy,
    /// Probed: one request at a time.
    HalfOpen,
    /// Skipped.
    Ejected,
}

impl State {
    /// Its word in the API and in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::HalfOpen => "half_open",
            Self::Ejected => "ejected",
        }
    }
}

/// A state with what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Used as usual, since then.
    Healthy {
        /// None for a route that was never ejected.
        since: Option<Duration>,
    },
    /// Probed.
    HalfOpen {
        /// Whether a probe is under way.
        probing: bool,
        /// Answers since the cool-down.
        answered: u32,
    },
    /// Skipped.
    Ejected {
        /// When the cool-down began.
        since: Duration,
        /// How long it lasts.
        lasts: Duration,
    },
}

/// Leave for one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Ejections before it: what an attempt from before the last one finds out is old news.
    epoch: u64,
    /// Whether it is the probe.
    probe: bool,
    /// Whether the route was not healthy: an answer is news.
    trial: bool,
}

/// No leave for an attempt now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shut {
    /// How long the cool-down still lasts; zero while a probe is under way.
    pub remaining: Duration,
}

/// An ejection, as replicas tell it to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ejection {
    /// Why.
    pub reason: Reason,
    /// How long it lasts from now on.
    pub lasts: Duration,
    /// How many times the first cool-down it lasts.
    pub multiplier: u32,
}

/// The breaker of one route.
#[derive(Clone, Debug)]
pub struct Breaker {
    phase: Phase,
    epoch: u64,
    window: Window,
    consecutive: u32,
    /// Of the cool-down that began last; 0 before the first.
    multiplier: u32,
    reason: Option<Reason>,
    changes: SmallVec<[Change; 2]>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            phase: Phase::Healthy { since: None },
            epoch: 0,
            window: Window::default(),
            consecutive: 0,
            multiplier: 0,
            reason: None,
            changes: SmallVec::new(),
        }
    }
}

impl Breaker {
    /// The phase now. A cool-down that is over by now ends here.
    pub fn phase(&mut self, now: Duration) -> Phase {
        match &mut self.phase {
            // A clock that was set back begins the time anew rather than lengthen it.
            Phase::Healthy { since: Some(since) } => *since = now.min(*since),
            Phase::Ejected { since, lasts } => {
                *since = now.min(*since);
                if now.saturating_sub(*since) >= *lasts {
                    let probed = Phase::HalfOpen { probing: false, answered: 0 };
                    self.enter(probed, Cause::CooldownOver, now);
                }
            }
            Phase::Healthy { since: None } | Phase::HalfOpen { .. } => {}
        }
        self.phase
    }

    /// The state now.
    pub fn state(&mut self, now: Duration) -> State {
        self.phase(now).state()
    }

    /// Leave for an attempt, if the route may be tried as others may.
    ///
    /// # Errors
    /// How long it may not.
    pub fn admit(&mut self, now: Duration) -> Result<Pass, Shut> {
        match self.phase(now) {
            Phase::Healthy { .. } | Phase::HalfOpen { probing: false, .. } => Ok(self.force(now)),
            Phase::HalfOpen { probing: true, .. } => Err(Shut { remaining: Duration::ZERO }),
            Phase::Ejected { since, lasts } => {
                Err(Shut { remaining: lasts.saturating_sub(now.saturating_sub(since)) })
            }
        }
    }

    /// Leave for an attempt in any case: there is no other route. It is the probe, if one is due.
    pub fn force(&mut self, now: Duration) -> Pass {
        self.phase(now);
        let mut probe = false;
        if let Phase::HalfOpen { probing, .. } = &mut self.phase {
            probe = !*probing;
            *probing = true;
        }
        Pass { epoch: self.epoch, probe, trial: !self.is_calm() }
    }

    /// Notes what an attempt found out. Each pass is for one verdict, or for [`Self::release`].
    pub fn note(&mut self, pass: Pass, verdict: Verdict, now: Duration, tuning: &Tuning) {
        self.phase(now);
        self.release(pass);
        if pass.epoch != self.epoch {
            return;
        }
        match verdict {
            Verdict::Neither => return,
            Verdict::Good => self.consecutive = 0,
            Verdict::Bad | Verdict::RateLimited(_) | Verdict::Overloaded => {
                self.consecutive = self.consecutive.saturating_add(1);
            }
        }
        match self.phase {
            Phase::Healthy { .. } => self.note_healthy(verdict, now, tuning),
            Phase::HalfOpen { answered, .. } => {
                self.note_half_open(pass, verdict, answered, now, tuning);
            }
            Phase::Ejected { .. } if verdict == Verdict::Good => {
                // Tried because there was no other route, and it answered: no need to wait.
                self.enter(
                    Phase::HalfOpen { probing: false, answered: 1 },
                    Cause::CooldownOver,
                    now,
                );
            }
            Phase::Ejected { .. } => {}
        }
    }

    /// Gives a pass back without a verdict.
    pub fn release(&mut self, pass: Pass) {
        if let Phase::HalfOpen { probing, .. } = &mut self.phase
            && pass.probe
            && pass.epoch == self.epoch
        {
            *probing = false;
        }
    }

    fn note_healthy(&mut self, verdict: Verdict, now: Duration, tuning: &Tuning) {
        self.window.note(verdict != Verdict::Good, now, tuning.window);
        if let Some((reason, lasts, multiplier)) = self.prompt_ejection(verdict, now, tuning) {
            self.eject(reason, lasts, multiplier, now);
            return;
        }
        let (attempts, failures) = self.window.sums(now, tuning.window);
        if tuning.failures > 0
            && verdict != Verdict::Good
            && failures >= tuning.failures
            && failures.saturating_mul(2) >= attempts
        {
            let (lasts, multiplier) = self.cool_down(tuning.base, now, tuning);
            self.eject(Reason::RollingFailures, lasts, multiplier, now);
        }
    }

    fn note_half_open(
        &mut self,
        pass: Pass,
        verdict: Verdict,
        answered: u32,
        now: Duration,
        tuning: &Tuning,
    ) {
        if verdict == Verdict::Good {
            let answered = answered + 1;
            if answered >= PROBES {
                self.window = Window::default();
                self.enter(Phase::Healthy { since: Some(now) }, Cause::ProbesAnswered, now);
            } else if let Phase::HalfOpen { answered: count, .. } = &mut self.phase {
                *count = answered;
            }
            return;
        }
        // What was tried beside the probe for want of another route does not decide.
        if !pass.probe {
            return;
        }
        let (reason, lasts, multiplier) =
            self.prompt_ejection(verdict, now, tuning).unwrap_or_else(|| {
                let (lasts, multiplier) = self.cool_down(tuning.base, now, tuning);
                (Reason::RollingFailures, lasts, multiplier)
            });
        self.eject(reason, lasts, multiplier, now);
    }

    /// The ejection that one answer is enough for. A vendor that says not to wait is none of those.
    fn prompt_ejection(
        &self,
        verdict: Verdict,
        now: Duration,
        tuning: &Tuning,
    ) -> Option<(Reason, Duration, u32)> {
        if tuning.failures == 0 {
            return None;
        }
        let (lasts, multiplier) = match verdict {
            Verdict::RateLimited(Some(wait)) if wait.is_zero() => return None,
            Verdict::RateLimited(Some(wait)) => {
                (wait.min(tuning.most), self.multiplier_now(now, tuning).max(1))
            }
            Verdict::RateLimited(None) => self.cool_down(tuning.rate_limited, now, tuning),
            Verdict::Overloaded => self.cool_down(tuning.overloaded, now, tuning),
            Verdict::Good | Verdict::Bad | Verdict::Neither => return None,
        };
        Some((Reason::RateLimited, lasts, multiplier))
    }

    /// The next cool-down and its multiplier, where the first one is `base`.
    fn cool_down(&self, base: Duration, now: Duration, tuning: &Tuning) -> (Duration, u32) {
        let before = self.multiplier_now(now, tuning);
        let multiplier = if before == 0 { 1 } else { before.saturating_mul(2) };
        let lasts = base.saturating_mul(multiplier);
        if lasts < tuning.most {
            return (lasts, multiplier);
        }
        // Beyond the longest one doubling has no end in itself.
        (tuning.most, if before == 0 { 1 } else { before.max(2) })
    }

    /// The multiplier of the cool-down before, 0 once that is forgotten.
    fn multiplier_now(&self, now: Duration, tuning: &Tuning) -> u32 {
        match self.phase {
            Phase::Healthy { since: Some(since) } if now.saturating_sub(since) >= tuning.most => 0,
            _ => self.multiplier,
        }
    }

    /// Takes over another replica's ejection. Whether that changed anything: one that lasts longer here
    /// stays.
    pub fn adopt(&mut self, ejection: Ejection, now: Duration, tuning: &Tuning) -> bool {
        let lasts = ejection.lasts.min(tuning.most);
        let own = match self.phase(now) {
            Phase::Ejected { since, lasts } => lasts.saturating_sub(now.saturating_sub(since)),
            Phase::Healthy { .. } | Phase::HalfOpen { .. } => Duration::ZERO,
        };
        if lasts <= own {
            return false;
        }
        self.eject(ejection.reason, lasts, ejection.multiplier.max(self.multiplier).max(1), now);
        true
    }

    fn eject(&mut self, reason: Reason, lasts: Duration, multiplier: u32, now: Duration) {
        self.multiplier = multiplier;
        self.reason = Some(reason);
        self.epoch += 1;
        self.enter(Phase::Ejected { since: now, lasts }, Cause::Ejected(reason), now);
    }

    /// Makes it healthy, with nothing remembered. Whether it was skipped or probed.
    pub fn reset(&mut self, now: Duration) -> bool {
        let was = self.state(now) != State::Healthy;
        if was {
            self.enter(Phase::Healthy { since: None }, Cause::Reset, now);
        }
        let changes = std::mem::take(&mut self.changes);
        *self = Self { epoch: self.epoch + 1, changes, ..Self::default() };
        was
    }

    fn enter(&mut self, phase: Phase, cause: Cause, now: Duration) {
        let from = self.phase.state();
        let lasts = match phase {
            Phase::Ejected { lasts, .. } => Some(lasts),
            Phase::Healthy { .. } | Phase::HalfOpen { .. } => None,
        };
        self.phase = phase;
        let (to, multiplier) = (phase.state(), self.multiplier.max(1));
        self.changes.push(Change { from, to, cause, lasts, multiplier, at: now });
    }

    /// What changed since the last call.
    pub fn changes(&mut self) -> SmallVec<[Change; 2]> {
        std::mem::take(&mut self.changes)
    }

    /// Whether it was healthy when it was looked at last.
    #[must_use]
    pub const fn is_calm(&self) -> bool {
        matches!(self.phase, Phase::Healthy { .. })
    }

    /// Failures since the last answer.
    #[must_use]
    pub const fn consecutive_failures(&self) -> u32 {
        self.consecutive
    }

    /// How many times the first cool-down the current one, or the last that is remembered, lasts.
    #[must_use]
    pub fn multiplier(&self, now: Duration, tuning: &Tuning) -> u32 {
        self.multiplier_now(now, tuning).max(1)
    }

    /// Why it is ejected, or was before it is probed; none while it is healthy.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self.phase {
            Phase::Healthy { .. } => None,
            Phase::HalfOpen { .. } | Phase::Ejected { .. } => self.reason,
        }
    }
}

impl Pass {
    /// Whether the route was not healthy: an answer is news.
    #[must_use]
    pub const fn is_trial(&self) -> bool {
        self.trial
    }

    /// The same, once its answer has been noted: it is no probe any more.
    #[must_use]
    pub const fn told(self) -> Self {
        Self { epoch: self.epoch, probe: false, trial: false }
    }
}

impl Phase {
    /// Its name.
    #[must_use]
    pub const fn state(&self) -> State {
        match self {
            Self::Healthy { .. } => State::Healthy,
            Self::HalfOpen { .. } => State::HalfOpen,
            Self::Ejected { .. } => State::Ejected,
        }
    }
}

#[cfg(test)]
impl Pass {
    /// Whether both are probes after the same ejection.
    pub(super) const fn is_probe_beside(&self, other: &Self) -> bool {
        self.probe && other.probe && self.epoch == other.epoch
    }
}
