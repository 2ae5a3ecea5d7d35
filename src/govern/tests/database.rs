//! A ledger and its database, in memory.

use std::sync::{Arc, Mutex};

use uuid::Uuid;

use crate::{
    domain::{Endpoint, LedgerId, Mark, OrgId, Position, Timestamp},
    govern::{Amount, Check, History, HistoryError, Lately, Rule, Second, Term, Used},
};

/// A record in a spool.
#[derive(Clone, Debug)]
pub struct Record {
    pub ledger: LedgerId,
    pub position: Position,
    pub at: Timestamp,
    pub checks: Arc<[Check]>,
    pub used: Amount,
}

/// What was kept, and how much of it the database holds.
#[derive(Debug, Default)]
pub struct Database {
    spool: Mutex<Vec<Record>>,
    stored: Mutex<Vec<Record>>,
    own: Mutex<Position>,
    pub replicas: Mutex<u32>,
}

impl Database {
    /// Keeps a record in the spool of a ledger.
    pub fn keep(
        &self,
        ledger: LedgerId,
        at: Timestamp,
        checks: &Arc<[Check]>,
        used: Amount,
    ) -> Position {
        let mut spool = self.spool.lock().unwrap();
        let position = Position(spool.len() as u64 + self.stored.lock().unwrap().len() as u64 + 1);
        spool.push(Record { ledger, position, at, checks: Arc::clone(checks), used });
        position
    }

    /// Stores the oldest records of the spool.
    pub fn deliver(&self, count: usize) {
        let mut spool = self.spool.lock().unwrap();
        let count = count.min(spool.len());
        self.stored.lock().unwrap().extend(spool.drain(..count));
    }

    /// Stores everything.
    pub fn deliver_all(&self) {
        self.deliver(usize::MAX);
    }

    /// What the database holds of a check's counter.
    pub fn sum(&self, check: &Check, start: Timestamp, end: Timestamp) -> Amount {
        let stored = self.stored.lock().unwrap();
        let of = |record: &&Record| {
            let counts = record.checks.iter().any(|one| one.counter == check.counter);
            counts && start <= record.at && record.at < end
        };
        stored.iter().filter(of).fold(Amount::ZERO, |sum, record| sum.plus(record.used))
    }

    pub fn marks(&self) -> Vec<Mark> {
        let stored = self.stored.lock().unwrap();
        let mut marks: Vec<Mark> = Vec::new();
        for Record { ledger, position, .. } in stored.iter() {
            match marks.iter_mut().find(|mark| mark.ledger == *ledger) {
                Some(mark) => mark.position = mark.position.max(*position),
                None => marks.push(Mark { ledger: *ledger, position: *position }),
            }
        }
        marks
    }

    fn entities(&self, term: &Term) -> Vec<(Arc<str>, Amount)> {
        let stored = self.stored.lock().unwrap();
        let mut all: Vec<(Arc<str>, Amount)> = Vec::new();
        for record in stored.iter().filter(|one| term.start <= one.at && one.at < term.end) {
            let budgets = |check: &&Check| matches!(check.rule, Rule::Budget { .. });
            for check in record.checks.iter().filter(budgets) {
                if check.counter.policy != term.policy {
                    continue;
                }
                match all.iter_mut().find(|(entity, _)| *entity == check.counter.entity) {
                    Some((_, sum)) => *sum = sum.plus(record.used),
                    None => all.push((Arc::clone(&check.counter.entity), record.used)),
                }
            }
        }
        all
    }

    pub fn used_now(&self, terms: &[Term]) -> Used {
        Used { marks: self.marks(), terms: terms.iter().map(|term| self.entities(term)).collect() }
    }
}

#[async_trait::async_trait]
impl History for Database {
    async fn used(&self, _org: OrgId, terms: &[Term]) -> Result<Used, HistoryError> {
        Ok(self.used_now(terms))
    }

    async fn wait_delivered(&self) {}

    async fn lately(&self, _: OrgId) -> Result<Vec<Lately>, HistoryError> {
        let of = |record: &Record| Lately {
            alias: "fast".to_owned(),
            endpoint: Some(Endpoint::ChatCompletions),
            used: record.used,
        };
        Ok(self.stored.lock().unwrap().iter().map(of).collect())
    }

    async fn last_minute(&self, _: OrgId, limits: &[Uuid]) -> Result<Vec<Second>, HistoryError> {
        let second = |policy: &Uuid| Second {
            policy: *policy,
            entity: "ann".into(),
            ago: 3,
            requests: 2,
            tokens: 70,
        };
        Ok(limits.iter().map(second).collect())
    }

    async fn replicas(&self) -> Result<u32, HistoryError> {
        Ok((*self.replicas.lock().unwrap()).max(1))
    }

    async fn note_replicas(&self, count: u32) -> Result<(), HistoryError> {
        *self.replicas.lock().unwrap() = count;
        Ok(())
    }

    fn delivered(&self) -> Position {
        *self.own.lock().unwrap()
    }
}
