//! Beginning budgets' periods from what the database holds, and setting idle counters right.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{
    admit::Session,
    call::Call,
    keys,
    link::{Link, LinkFault},
    scripts::{BEGIN, OPEN, RECONCILE},
};
use crate::{
    domain::{Mark, OrgId},
    govern::{Amount, Term, book::TermKey},
};

/// How long one replica may take to begin a period, before another tries.
const HOLD: Duration = Duration::from_secs(10);

/// Counters that are written in one call.
const CHUNK: usize = 200;

/// Whether a period can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::govern) enum Opened {
    /// It has begun, under this epoch.
    Begun(u64),
    /// The caller may begin it, under this epoch.
    Yours(u64),
    /// Another replica is at it.
    Others,
}

/// Asks to begin a period.
pub(in crate::govern) async fn open(
    link: &Link,
    org: OrgId,
    term: Term,
    session: &Session,
) -> Result<Opened, LinkFault> {
    let mut call = Call::at(None);
    call.key(keys::marker(org, term.policy, term.start));
    call.key(keys::lock(org, term.policy, term.start));
    call.arg(&session.replica);
    call.arg(HOLD.as_millis());
    let mut answer = call.send(link, &OPEN).await?;
    let (outcome, epoch) = (answer.number(), answer.number());
    Ok(match outcome {
        2 => Opened::Begun(epoch),
        1 => Opened::Yours(epoch),
        _ => Opened::Others,
    })
}

/// Writes a period's counters and puts them in force; `false` if another replica was quicker.
pub(in crate::govern) async fn begin(
    link: &Link,
    org: OrgId,
    term: Term,
    session: &Session,
    epoch: u64,
    entities: &[(Arc<str>, Amount)],
    marks: &[Mark],
) -> Result<bool, LinkFault> {
    let chunks = entities.len().div_ceil(CHUNK).max(1);
    for number in 0..chunks {
        let chunk = entities.iter().skip(number * CHUNK).take(CHUNK);
        let mut call = Call::at(None);
        call.key(keys::marker(org, term.policy, term.start));
        call.key(keys::lock(org, term.policy, term.start));
        call.arg(&session.replica);
        call.arg(epoch);
        call.arg(expiry(term));
        call.arg(chunk.len());
        for (entity, amount) in chunk {
            let key = TermKey::of(org, term, entity);
            call.key(keys::budget(&key.counter, term.start));
            call.key(keys::parts(&key.counter, term.start));
            call.arg(amount.tokens);
            call.arg(amount.cost.0);
        }
        if number + 1 == chunks {
            write_marks(&mut call, marks);
        } else {
            call.arg("-");
        }
        if call.send(link, &BEGIN).await?.number() != 1 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Sets idle counters to what the database holds; tells of each whether it is right now.
pub(in crate::govern) async fn reconcile(
    link: &Link,
    org: OrgId,
    keys_of: &[TermKey],
    sums: &HashMap<TermKey, Amount>,
    marks: &[Mark],
) -> Result<Vec<bool>, LinkFault> {
    let mut call = Call::at(None);
    call.key(keys::sessions(org));
    write_marks(&mut call, marks);
    call.arg(keys_of.len());
    for key in keys_of {
        let (counter, start) = (&key.counter, key.span.start);
        call.key(keys::marker(org, counter.policy, start));
        call.key(keys::budget(counter, start));
        call.key(keys::parts(counter, start));
        let sum = sums.get(key).copied().unwrap_or_default();
        call.arg(sum.tokens);
        call.arg(sum.cost.0);
    }
    let mut answer = call.send(link, &RECONCILE).await?;
    Ok(keys_of.iter().map(|_| answer.signed() != 0).collect())
}

fn write_marks(call: &mut Call, marks: &[Mark]) {
    call.arg(marks.len());
    for mark in marks {
        call.arg(mark.ledger.0.simple());
        call.arg(mark.position.0);
    }
}

/// Keys outlive their period by its length.
fn expiry(term: Term) -> i64 {
    let length = term.end.0.saturating_sub(term.start.0);
    term.end.0.saturating_add(length) / 1000
}
