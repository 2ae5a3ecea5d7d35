//! The window of a limit per minute.

use crate::govern::{
    clock::Clock,
    link_state::{RateLink, Recalled},
    reading::{Counted, RateReading},
    share::Share,
    window::Window,
};

/// The wait that is told by a replica that has no share, for another has.
const ANOTHERS_MS: u64 = 1000;

/// Of a limit per minute.
#[derive(Debug, Default)]
pub(in crate::govern) struct Rate {
    pub requests: Window,
    pub tokens: Window,
    pub link: Option<Box<RateLink>>,
}

impl Rate {
    /// Whether nothing is left of what it has counted.
    pub(super) fn is_over(&self, now: Clock) -> bool {
        let is_over = |window: &Window| window.empty() <= now.second();
        let recalled = self.recalled();
        is_over(&self.requests)
            && is_over(&self.tokens)
            && recalled.is_none_or(|of| of.is_over(now.second()))
    }

    fn recalled(&self) -> Option<&Recalled> {
        self.link.as_ref()?.recalled.as_deref()
    }

    /// What it shows of what is limited, if all who share it have counted as much as this one.
    pub fn shown(
        &mut self,
        requests: Option<u32>,
        tokens: Option<u32>,
        now: Clock,
        share: Share,
    ) -> RateReading {
        if let Some(recalled) = self.recalled().filter(|of| !of.is_over(now.second())) {
            let mut both =
                [self.requests.with(&recalled.requests), self.tokens.with(&recalled.tokens)];
            let [of_requests, of_tokens] = &mut both;
            return RateReading {
                requests: counted(of_requests, requests, now, share),
                tokens: counted(of_tokens, tokens, now, share),
            };
        }
        RateReading {
            requests: counted(&mut self.requests, requests, now, share),
            tokens: counted(&mut self.tokens, tokens, now, share),
        }
    }
}

/// What a window shows: no less than the limit when the share of it is used up, and else less.
fn counted(window: &mut Window, limit: Option<u32>, now: Clock, share: Share) -> Counted {
    let Some(limit) = limit.map(u64::from) else { return Counted::default() };
    window.advance(now.second());
    let (here, part) = (window.sum(), share.part(limit));
    let all = here.saturating_mul(u64::from(share.replicas()));
    let is_full = here >= part;
    let wait_ms = match window.below(part) {
        _ if !is_full => 0,
        Some(second) => now.until(second),
        None if part < limit => ANOTHERS_MS,
        None => 0,
    };
    Counted {
        sum: if is_full { all.max(limit) } else { all.min(limit - 1) },
        wait_ms,
        reset_ms: now.until(window.empty()),
    }
}
