//! Beginning the periods of budgets with what the database knows.

use uuid::Uuid;

use super::{AGAIN, BEAT_EVERY};
use crate::{
    domain::{OrgId, Timestamp},
    govern::{
        Governor, Term, Used,
        book::TermKey,
        periods::Wanted,
        redis::{
            Link,
            begin::{self, Opened},
        },
    },
};

impl Governor {
    pub(super) async fn keep_beginning(&self) {
        loop {
            let done = self.begin_wanted().await;
            self.has_begun.send_modify(|count| *count += 1);
            let pause = if done { BEAT_EVERY } else { AGAIN };
            tokio::select! {
                () = self.to_begin.notified(), if done => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Begins what has not begun; `false` if something is left.
    pub(in crate::govern) async fn begin_wanted(&self) -> bool {
        let now = Timestamp::now();
        self.periods().forget(now);
        let wanted = self.periods().wanted(now);
        // First what happened before this process, which nobody has waited for yet. Where Redis is there, its windows
        // are.
        let is_alone = self.settings.link.as_ref().is_none_or(|link| !link.is_up());
        let unrecalled = self.periods().unrecalled();
        for (org, limits) in unrecalled {
            if is_alone && !limits.is_empty() {
                self.recall(org, &limits).await;
            }
            self.periods().recalled(org);
        }
        let mut done = true;
        for (org, wanted) in &wanted {
            done &= match &self.settings.link {
                None => self.begin_here(*org, wanted).await,
                Some(link) => self.begin_there(link, *org, wanted).await,
            };
        }
        done
    }

    async fn recall(&self, org: OrgId, limits: &[Uuid]) {
        match self.settings.history.last_minute(org, limits).await {
            Ok(seconds) => {
                let now = self.now();
                let mut book = self.book(org);
                for second in &seconds {
                    book.recall(org, second, now);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "limits per minute begin with nothing counted");
            }
        }
    }

    async fn begin_here(&self, org: OrgId, wanted: &[Wanted]) -> bool {
        let terms = running(wanted);
        let Some(used) = self.used(org, &terms).await else { return false };
        let mark = self.own_mark(&used);
        for (term, entities) in terms.iter().zip(&used.terms) {
            let mut book = self.book(org);
            for (entity, amount) in entities {
                book.begin(&TermKey::of(org, *term, entity), *amount, mark);
            }
            drop(book);
            let mut periods = self.periods();
            periods.begun(org, *term, 1);
            periods.recheck(org, *term);
        }
        for next in wanted.iter().filter(|wanted| wanted.is_next) {
            self.periods().begun(org, next.term, 1);
        }
        true
    }

    async fn begin_there(&self, link: &Link, org: OrgId, wanted: &[Wanted]) -> bool {
        if !link.is_up() {
            self.suppose(org, wanted).await;
            return false;
        }
        let mut mine = Vec::new();
        let mut done = true;
        for wanted in wanted {
            match begin::open(link, org, wanted.term, &self.session()).await {
                Ok(Opened::Begun(epoch)) => self.has_begun_there(org, wanted.term, epoch),
                Ok(Opened::Yours(epoch)) => mine.push((*wanted, epoch)),
                Ok(Opened::Others) | Err(_) => done = false,
            }
        }
        let terms: Vec<Term> =
            mine.iter().filter(|(wanted, _)| !wanted.is_next).map(|(one, _)| one.term).collect();
        let used =
            if terms.is_empty() { Some(Used::default()) } else { self.used(org, &terms).await };
        let Some(used) = used else { return false };
        let mut sums = used.terms.iter();
        for (wanted, epoch) in mine {
            let entities = if wanted.is_next { None } else { sums.next() };
            let entities = entities.map(Vec::as_slice).unwrap_or_default();
            let marks = if wanted.is_next { &[][..] } else { &used.marks };
            let session = self.session();
            let begun = begin::begin(link, org, wanted.term, &session, epoch, entities, marks);
            match begun.await {
                Ok(true) => self.has_begun_there(org, wanted.term, epoch),
                Ok(false) | Err(_) => done = false,
            }
        }
        done
    }

    /// While Redis is away, what the database says was used is as much as is known of what has not begun here before.
    async fn suppose(&self, org: OrgId, wanted: &[Wanted]) {
        let mut terms = running(wanted);
        terms.retain(|term| !self.periods().is_supposed(org, *term));
        if terms.is_empty() {
            return;
        }
        let used = match self.settings.history.used(org, &terms).await {
            Ok(used) => used,
            Err(error) => {
                tracing::debug!(%error, "what budgets have used is not known");
                return;
            }
        };
        let mark = self.own_mark(&used);
        for (term, entities) in terms.iter().zip(&used.terms) {
            let mut book = self.book(org);
            for (entity, amount) in entities {
                book.suppose(&TermKey::of(org, *term, entity), *amount, mark);
            }
            drop(book);
            self.periods().supposed(org, *term);
        }
    }

    fn has_begun_there(&self, org: OrgId, term: Term, epoch: u64) {
        let mut periods = self.periods();
        if periods.begun(org, term, epoch) {
            periods.recheck(org, term);
        }
        drop(periods);
        self.book(org).mark_all(Some((term.policy, term.start)));
        self.to_flush.notify_one();
    }
}

/// Those that run; of what is only next nothing was used.
fn running(wanted: &[Wanted]) -> Vec<Term> {
    wanted.iter().filter(|wanted| !wanted.is_next).map(|wanted| wanted.term).collect()
}
