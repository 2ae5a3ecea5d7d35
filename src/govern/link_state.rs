//! What is known of a counter's twin in Redis.

use super::{
    Amount,
    clock::Clock,
    reading::{Counted, RateReading},
    redis::admit::{Session, Untold},
    window::{SPAN, Window},
};

/// What happened in a second, to be told to Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tick {
    pub second: u32,
    /// Negative where requests are taken back.
    pub requests: i64,
    pub tokens: u64,
}

impl Tick {
    /// Whether it is no longer counted in that second.
    const fn has_run_out(self, second: u32) -> bool {
        self.second.saturating_add(SPAN) <= second
    }
}

/// Of a window.
#[derive(Debug, Default)]
pub(super) struct RateLink {
    /// Which window it was when it was last met; zero if it never was.
    pub epoch: u64,
    /// What it does not hold yet.
    pub owed: Vec<Tick>,
    /// What is being told; the same again until that is answered.
    pub sent: Vec<Tick>,
    /// The number of that batch.
    pub batch: u64,
    /// Whether Redis is to be asked if the window is still there, though nothing is owed.
    pub is_asked: bool,
    pub is_dirty: bool,
    /// What the database told when this replica began while Redis was away: of all replicas.
    pub recalled: Option<Box<Recalled>>,
    /// What other replicas had counted when it was last met.
    pub others: Option<Others>,
}

/// What was counted in the last minute before this replica began.
#[derive(Clone, Debug, Default)]
pub(super) struct Recalled {
    pub requests: Window,
    pub tokens: Window,
}

impl Recalled {
    /// Whether nothing of it counts any more.
    pub fn is_over(&self, second: u32) -> bool {
        self.requests.empty() <= second && self.tokens.empty() <= second
    }
}

/// What a window held in Redis beside what this replica has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Others {
    reading: RateReading,
    at: Clock,
}

impl Others {
    /// Of what Redis shows, and what is known here, at the same time.
    pub fn of(there: RateReading, here: RateReading, at: Clock) -> Self {
        let others = |there: Counted, here: Counted| Counted {
            sum: there.sum.saturating_sub(here.sum),
            ..there
        };
        let requests = others(there.requests, here.requests);
        Self { reading: RateReading { requests, tokens: others(there.tokens, here.tokens) }, at }
    }

    /// With what is counted here by now. What others have counted runs out at last when the window was to be
    /// empty.
    pub fn with(self, here: RateReading, now: Clock) -> RateReading {
        let passed = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let both = |here: Counted, others: Counted| match others.reset_ms.saturating_sub(passed) {
            0 => here,
            left => Counted {
                sum: here.sum.saturating_add(others.sum),
                reset_ms: here.reset_ms.max(left),
                ..here
            },
        };
        RateReading {
            requests: both(here.requests, self.reading.requests),
            tokens: both(here.tokens, self.reading.tokens),
        }
    }
}

impl RateLink {
    /// Notes something that the window in Redis does not hold.
    pub fn owe(&mut self, second: u32, requests: i64, tokens: u64) {
        if let Some(tick) = self.owed.iter_mut().rfind(|tick| tick.second == second) {
            tick.requests = tick.requests.saturating_add(requests);
            tick.tokens = tick.tokens.saturating_add(tokens);
            return;
        }
        // What has run out need not be told any more.
        self.owed.retain(|tick| !tick.has_run_out(second));
        self.owed.push(Tick { second, requests, tokens });
    }

    /// The tokens that the window may not hold yet in that second.
    pub fn untold(&self, second: u32) -> Untold {
        let counts = |tick: &&Tick| !tick.has_run_out(second);
        let tokens = |ticks: &[Tick]| ticks.iter().filter(counts).map(|tick| tick.tokens).sum();
        let (sent, later) = (tokens(&self.sent), tokens(&self.owed));
        if sent == 0 && later == 0 {
            return Untold::Nothing;
        }
        Untold::Tokens { batch: self.batch, sent, later }
    }

    /// Whether something is left to tell.
    pub const fn is_owed(&self) -> bool {
        self.is_dirty || !self.owed.is_empty() || !self.sent.is_empty()
    }
}

/// What was reserved, and may have been freed in another life of the counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Net {
    pub tokens: i64,
    pub cost: i64,
}

impl Net {
    pub fn plus(self, amount: Amount) -> Self {
        Self {
            tokens: self.tokens.saturating_add(signed(amount.tokens)),
            cost: self.cost.saturating_add(amount.cost.0),
        }
    }

    pub fn minus(self, amount: Amount) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(signed(amount.tokens)),
            cost: self.cost.saturating_sub(amount.cost.0),
        }
    }
}

fn signed(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

/// Of a budget's counter.
#[derive(Debug, Default)]
pub(super) struct TermLink {
    /// The state of the database that it began with; zero if that is not known.
    pub epoch: u64,
    /// Which life of the counter that was; what is reserved lasts as long as it.
    pub life: u64,
    /// The session in which `granted` was reserved.
    pub generation: u32,
    /// What Redis has reserved for this replica in this life and session, altogether.
    pub granted: Net,
    /// What was spent here that Redis has taken over.
    pub acked: Amount,
    /// The last batch that told of it, and what was spent by then.
    pub batch: u64,
    pub sent: Amount,
    /// Whether that is still on its way.
    pub is_sent: bool,
    /// Which part of the counter is this process's own: it has one for each time that it began to
    /// count.
    pub part: u64,
    pub is_dirty: bool,
}

impl TermLink {
    /// Redis holds nothing of what was used here.
    pub const fn forgot_use(&mut self) {
        (self.acked, self.sent) = (Amount::ZERO, Amount::ZERO);
    }

    /// Notes another life of the counter: where it is not the first, it was made anew, and nothing is granted in
    /// it. Nor is anything spent, unless it goes back to another state of the database: what that does not hold
    /// of it is told from its mark.
    pub const fn live(&mut self, epoch: u64, life: u64) {
        if self.life != 0 {
            self.granted = Net { tokens: 0, cost: 0 };
            if epoch == self.epoch {
                self.forgot_use();
            }
        }
        self.life = life;
    }

    /// What was granted in this session, and of the counter's life that is known.
    pub const fn granted_in(&self, session: &Session) -> Net {
        if self.generation == session.generation {
            self.granted
        } else {
            Net { tokens: 0, cost: 0 }
        }
    }

    /// What the counter may not hold yet of what was used and is still reserved here.
    pub fn untold(&self, used: Amount, reserved: Amount, session: &Session) -> Untold {
        let (sent, later) = (self.sent.minus(self.acked), used.minus(self.sent));
        // What another session was granted, this one has not told of.
        let is_of_another = self.generation != session.generation && reserved != Amount::ZERO;
        let is_told = !self.is_dirty && !self.is_sent && !is_of_another;
        if is_told && sent == Amount::ZERO && later == Amount::ZERO {
            return Untold::Nothing;
        }
        let freed = self.granted_in(session).minus(reserved);
        let Self { epoch, life, batch, .. } = *self;
        Untold::Use { epoch, life, batch, sent, later, freed }
    }
}
