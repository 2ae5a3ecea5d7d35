//! A breaker through random histories: attempts that overlap, outcomes of every kind, other replicas'
//! ejections, resets, and a clock that creeps, leaps and is set back. Each seed is one history;
//! `TURNPIKE_SEED=<n>` replays one.

use std::time::Duration;

use super::{Breaker, Ejection, Pass, Phase, Reason, State, Tuning, Verdict, tuning::PROBES};
use crate::domain::seeded::{Dice, histories};

const STEPS: usize = 2000;

/// One history and what must hold at every step of it.
struct Run {
    dice: Dice,
    tuning: Tuning,
    breaker: Breaker,
    now: Duration,
    under_way: Vec<Pass>,
    ejections: u32,
    /// Verdicts against the route since it was last healthy from scratch, with their time.
    blamed: Vec<Duration>,
    /// The chance that an attempt fails, percent: changes over time.
    failing: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        Self {
            dice: Dice::of(seed),
            tuning: Tuning::default(),
            breaker: Breaker::default(),
            now: Duration::from_secs(7200),
            under_way: Vec::new(),
            ejections: 0,
            blamed: Vec::new(),
            failing: 0,
        }
    }

    fn step(&mut self) {
        self.pass_time();
        let before = self.breaker.state(self.now);
        match self.dice.below(100) {
            0..45 => self.begin(),
            45..94 => self.end(),
            94..96 => self.failing = [0, 1, 10, 50, 100][self.dice.index(5)],
            96..97 => self.adopt(),
            97..98 => self.reset(),
            _ => self.drop_some(),
        }
        self.check(before);
    }

    fn pass_time(&mut self) {
        let leap = self.dice.below(1000);
        self.now = match leap {
            0..3 => self.now + Duration::from_secs(self.dice.below(7200)),
            3..6 => self.now.saturating_sub(Duration::from_secs(self.dice.below(7200))),
            6..40 => self.now + Duration::from_secs(self.dice.below(60)),
            _ => self.now + Duration::from_millis(self.dice.below(300)),
        };
    }

    fn begin(&mut self) {
        let pass = if self.dice.percent(15) {
            Some(self.breaker.force(self.now))
        } else {
            self.breaker.admit(self.now).ok()
        };
        let Some(pass) = pass else { return };
        let another = self.under_way.iter().any(|other| other.is_probe_beside(&pass));
        assert!(!another, "two probes at once");
        self.under_way.push(pass);
    }

    fn end(&mut self) {
        if self.under_way.is_empty() {
            return;
        }
        let index = self.dice.index(self.under_way.len());
        let pass = self.under_way.swap_remove(index);
        let verdict = self.verdict();
        let blames = !matches!(verdict, Verdict::Good | Verdict::Neither);
        if blames {
            self.blamed.push(self.now);
        }
        let before = self.breaker.state(self.now);
        self.breaker.note(pass, verdict, self.now, &self.tuning);
        let after = self.breaker.state(self.now);
        if !blames {
            assert!(after != State::Ejected || before == State::Ejected, "{verdict:?} ejected");
        }
        if before == State::Healthy && after == State::Ejected && verdict == Verdict::Bad {
            let window = self.tuning.window;
            // The clock may have been set back: then times ahead of it are not of the window.
            let recent = |at: &&Duration| **at <= self.now && self.now <= **at + window;
            let failures = self.blamed.iter().filter(recent).count();
            assert!(failures >= 10, "ejected after {failures} failures");
        }
    }

    fn verdict(&mut self) -> Verdict {
        if !self.dice.percent(self.failing) {
            return if self.dice.percent(20) { Verdict::Neither } else { Verdict::Good };
        }
        match self.dice.below(40) {
            0 => Verdict::RateLimited(None),
            1 => Verdict::RateLimited(Some(Duration::from_secs(self.dice.below(4000)))),
            2 => Verdict::Overloaded,
            _ => Verdict::Bad,
        }
    }

    fn adopt(&mut self) {
        let lasts = Duration::from_secs(self.dice.below(1000));
        let multiplier = 1 << self.dice.below(6);
        let ejection = Ejection { reason: Reason::RollingFailures, lasts, multiplier };
        self.breaker.adopt(ejection, self.now, &self.tuning);
    }

    fn reset(&mut self) {
        let was = self.breaker.state(self.now) != State::Healthy;
        assert_eq!(self.breaker.reset(self.now), was);
        assert_eq!(self.breaker.state(self.now), State::Healthy);
        self.blamed.clear();
    }

    /// Tasks that are dropped give their passes back.
    fn drop_some(&mut self) {
        let keep = self.under_way.len() / 2;
        for pass in self.under_way.drain(keep..) {
            self.breaker.release(pass);
        }
    }

    fn check(&mut self, before: State) {
        if let Phase::Ejected { since, lasts } = self.breaker.phase(self.now) {
            assert!(since <= self.now && lasts <= self.tuning.most);
            assert!(self.now < since + lasts);
        }
        let after = self.breaker.state(self.now);
        let told = self.breaker.changes();
        let chained = told.windows(2).all(|pair| pair[0].to == pair[1].from);
        assert!(chained, "{told:?}");
        self.ejections +=
            told.iter().map(|change| u32::from(change.to == State::Ejected)).sum::<u32>();
        if let Some(last) = told.last() {
            assert_eq!(last.to, after, "{told:?}");
        } else {
            assert_eq!(before, after, "a change was not told");
        }
        assert!(self.breaker.multiplier(self.now, &self.tuning) <= 64);
    }

    /// However it went: once the vendor answers, the route is used as usual after the longest cool-down
    /// and a few requests, and in time begins with the shortest again.
    fn recovers(&mut self) {
        for pass in std::mem::take(&mut self.under_way) {
            self.breaker.release(pass);
        }
        self.now += self.tuning.most;
        for _ in 0..PROBES {
            let pass = self.breaker.admit(self.now).expect("a probe is due");
            self.breaker.note(pass, Verdict::Good, self.now, &self.tuning);
        }
        assert_eq!(self.breaker.state(self.now), State::Healthy);
        self.now += self.tuning.most;
        for _ in 0..self.tuning.failures {
            let pass = self.breaker.admit(self.now).expect("it is healthy");
            self.breaker.note(pass, Verdict::Bad, self.now, &self.tuning);
        }
        let first = self.tuning.base;
        let phase = self.breaker.phase(self.now);
        assert_eq!(phase, Phase::Ejected { since: self.now, lasts: first });
    }
}

#[test]
fn every_history_keeps_the_rules() {
    let ejections = histories(|seed| {
        let mut run = Run::new(seed);
        for _ in 0..STEPS {
            run.step();
        }
        run.recovers();
        run.ejections.into()
    });
    assert!(
        ejections.is_none_or(|count| count > 5000),
        "the histories are too quiet: {ejections:?} ejections"
    );
}
