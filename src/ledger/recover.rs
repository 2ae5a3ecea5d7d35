//! What an earlier process left in the spool's folder.

use std::{fs, io, path::Path};

use super::{
    frame::{self, Found},
    segment,
    state::Meta,
};

/// What was found.
pub(super) struct Left {
    /// Segments with records, in order.
    pub sealed: Vec<Meta>,
    /// How many of them end in a record whose bytes are not all there.
    pub torn: u64,
    /// One more than the highest number in the folder.
    pub next_id: u64,
}

/// Reads every segment in `dir`; those without a record are removed.
pub(super) fn recover(dir: &Path) -> io::Result<Left> {
    let mut left = Left { sealed: Vec::new(), torn: 0, next_id: 1 };
    for id in numbers(dir)? {
        left.next_id = id.saturating_add(1);
        let path = segment::path(dir, id);
        let bytes = fs::read(&path)?;
        let Some(stamp) = segment::stamp(&bytes, id) else {
            tracing::error!(file = %path.display(), "not a spool segment of this version, left as it is");
            continue;
        };
        let (meta, torn) = scan(Meta { stamp, ..Meta::new(id, bytes.len()) }, &bytes);
        left.torn += u64::from(torn);
        if meta.records == 0 {
            fs::remove_file(&path)?;
        } else {
            left.sealed.push(meta);
        }
    }
    Ok(left)
}

fn numbers(dir: &Path) -> io::Result<Vec<u64>> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(dir)? {
        ids.extend(entry?.file_name().to_str().and_then(segment::id_of));
    }
    ids.sort_unstable();
    Ok(ids)
}

/// Counts the intact records before the end or the first torn one; tells whether one was torn.
fn scan(mut meta: Meta, bytes: &[u8]) -> (Meta, bool) {
    loop {
        match frame::read(bytes, meta.end, meta.stamp) {
            Found::Record(payload) => meta.add(payload.end - meta.end),
            Found::End => return (meta, false),
            Found::Torn => return (meta, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::ledger::{
        frame::Frame,
        segment::Segment,
        testing::{copy, ids, roomy, spool, waiting},
    };

    /// What a crash does to one segment.
    #[derive(Clone, Debug)]
    enum Damage {
        CutAt(usize),
        FlipAt(usize),
        ZeroFrom(usize),
    }

    fn damage() -> impl Strategy<Value = Damage> {
        let at = 8_usize..600;
        prop_oneof![
            at.clone().prop_map(Damage::CutAt),
            at.clone().prop_map(Damage::FlipAt),
            at.prop_map(Damage::ZeroFrom),
        ]
    }

    fn inflict(bytes: &mut Vec<u8>, damage: &Damage) {
        match *damage {
            Damage::CutAt(at) => bytes.truncate(at),
            Damage::FlipAt(at) => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 0x40;
                }
            }
            Damage::ZeroFrom(at) => bytes.iter_mut().skip(at).for_each(|byte| *byte = 0),
        }
    }

    /// The first byte that `damage` changes, if any.
    fn first_change(before: &[u8], after: &[u8]) -> usize {
        let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
        // A cut in the unused space takes only zeros away.
        if same == after.len() && before[same..].iter().all(|byte| *byte == 0) {
            return before.len();
        }
        same
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

        #[test]
        fn recovery_yields_a_prefix_of_every_segment_up_to_its_damage(
            sizes in prop::collection::vec(1_usize..150, 1..60),
            damages in prop::collection::vec(prop::option::of(damage()), 30),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let ledger = spool(dir.path(), roomy(), 512);
            // segment → (end of the frame, payload)
            let mut written: BTreeMap<u64, Vec<(usize, Vec<u8>)>> = BTreeMap::new();
            for (n, size) in sizes.into_iter().enumerate() {
                let payload = vec![u8::try_from(n % 250).unwrap() + 1; size];
                ledger.append(&payload).unwrap();
                let state = ledger.spool.lock();
                written.entry(state.active.id).or_default().push((state.meta.end, payload));
            }
            let left = tempfile::tempdir().unwrap();
            copy(dir.path(), left.path());

            let mut expected = Vec::new();
            for (id, damage) in ids(left.path()).into_iter().zip(damages) {
                let Some(frames) = written.get(&id) else { continue };
                let path = segment::path(left.path(), id);
                let before = std::fs::read(&path).unwrap();
                let mut after = before.clone();
                if let Some(damage) = &damage {
                    inflict(&mut after, damage);
                    std::fs::write(&path, &after).unwrap();
                }
                let intact = first_change(&before, &after);
                expected.extend(
                    frames.iter().take_while(|(end, _)| *end <= intact).map(|(_, p)| p.clone()),
                );
            }

            let again = spool(left.path(), roomy(), 512);
            prop_assert_eq!(again.recovered().records, expected.len() as u64);
            prop_assert_eq!(waiting(&again), expected);
        }
    }

    #[test]
    fn a_torn_record_is_reported() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = spool(dir.path(), roomy(), 4096);
        ledger.append(b"{\"id\":1}").unwrap();
        ledger.append(b"{\"id\":2}").unwrap();
        let id = ledger.spool.lock().active.id;
        let left = tempfile::tempdir().unwrap();
        copy(dir.path(), left.path());
        let path = segment::path(left.path(), id);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..8 + 16 + 12]).unwrap();
        let again = spool(left.path(), roomy(), 4096);
        assert_eq!((again.recovered().records, again.recovered().torn), (1, 1));
    }

    #[test]
    fn pages_that_a_power_cut_took_back_hold_no_record_of_the_earlier_segment() {
        let dir = tempfile::tempdir().unwrap();
        let filled = |segment: &mut Segment, byte: u8, frames: usize| {
            let payload = [byte; 100];
            let frame = Frame::new(&payload).unwrap();
            for n in 0..frames {
                assert!(segment.put(segment::BODY + n * frame.len(), &frame));
            }
        };
        let mut old = Segment::create(dir.path(), 7, 4096).unwrap();
        filled(&mut old, b'o', 30);
        drop(old);
        let before = std::fs::read(segment::path(dir.path(), 7)).unwrap();
        let mut new = Segment::recycle(dir.path(), 7, 9, 4096).unwrap();
        filled(&mut new, b'n', 20);
        drop(new);
        let path = segment::path(dir.path(), 9);
        let after = std::fs::read(&path).unwrap();
        for kept in 0..20 {
            let from = segment::BODY + kept * 108;
            std::fs::write(&path, [&after[..from], &before[from..]].concat()).unwrap();
            let left = recover(dir.path()).unwrap();
            let records = left.sealed.iter().map(|meta| meta.records).sum::<u64>();
            assert_eq!((records, left.torn), (kept as u64, 1), "cut behind {kept} records");
        }
    }

    #[test]
    fn what_an_earlier_version_left_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = vec![0; 4096];
        bytes[..8].copy_from_slice(b"TPSPOOL1");
        let frame = Frame::new(b"{\"id\":1}").unwrap();
        frame.copy_to(&mut bytes[8..], frame::Stamp::NONE);
        std::fs::write(segment::path(dir.path(), 3), &bytes).unwrap();
        let ledger = spool(dir.path(), roomy(), 4096);
        assert_eq!(ledger.recovered(), crate::ledger::Recovered { records: 1, torn: 0 });
        assert_eq!(waiting(&ledger), [b"{\"id\":1}".to_vec()]);
    }

    #[test]
    fn a_file_of_another_format_is_neither_read_nor_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = segment::path(dir.path(), 5);
        std::fs::write(&path, b"TPSPOOL9 of a later version").unwrap();
        let ledger = spool(dir.path(), roomy(), 4096);
        assert_eq!(ledger.recovered().records, 0);
        drop(ledger);
        assert!(path.exists());
    }
}
