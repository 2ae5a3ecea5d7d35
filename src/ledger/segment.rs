//! A segment: one file of fixed size, mapped into memory, that frames are copied into.
//!
//! Its pages belong to the file, not to the process, so what was copied is kept when the process
//! is killed at any instruction. It is filled with zeros when made, so that every block exists: a
//! disk that fills up later cannot turn a copy into SIGBUS. The file of a delivered segment becomes
//! that of a new one, as it is: making one costs a megabyte of zeros, and removing one costs as well.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    ops::Range,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use memmap2::{MmapMut, UncheckedAdvice};

use super::frame::{self, Frame, Stamp};

/// What a segment's file begins with: format and version.
pub(super) const MAGIC: &[u8; 8] = b"TPSPOOL2";

/// What earlier versions began it with: their frames have no stamp.
const UNMARKED: &[u8; 8] = b"TPSPOOL1";

/// Where the first frame lies.
pub(super) const BODY: usize = MAGIC.len();

/// Zeros are written so many bytes at a time. A file system may keep what is written at once as one
/// large folio, and then dirties and flushes all of it for any page that is touched later: with
/// ext4 on Linux 6.18, zeros written all at once make an append cost three times the CPU, and three
/// times as many bytes go to the disk.
const CHUNK: usize = 16 << 10;

const SUFFIX: &str = ".seg";

/// A mapped segment.
pub(super) struct Segment {
    /// Its number; segments are delivered and recovered in this order.
    pub id: u64,
    /// The file, for flushing.
    pub file: Arc<File>,
    map: MmapMut,
}

impl Segment {
    /// Makes the file of `size` bytes and maps it. It survives the process at once, a power cut
    /// only once file and folder were flushed.
    pub fn create(dir: &Path, id: u64, size: usize) -> io::Result<Self> {
        let path = path(dir, id);
        let made = Self::fill(&path, size).and_then(|file| {
            let map = map(&file, size)?;
            Ok(Self { id, file: Arc::new(file), map })
        });
        if made.is_err() {
            // What a full disk left half-made would only take space.
            let _ = std::fs::remove_file(&path);
        }
        made
    }

    fn fill(path: &Path, size: usize) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let mut file = options.open(path)?;
        let zeros = [0; CHUNK];
        for start in (0..size).step_by(CHUNK) {
            file.write_all(zeros.get(..size - start).unwrap_or(&zeros))?;
        }
        file.write_all_at(MAGIC, 0)?;
        Ok(file)
    }

    /// Makes a segment of the file of another, which is that no more. Its bytes stay, but are no records.
    ///
    /// To be asked for files only that this process has made: others may have holes, for which a full
    /// disk has no room.
    ///
    /// # Errors
    /// When there is no such file, or it has another size. It has its old name then.
    pub fn recycle(dir: &Path, old: u64, id: u64, size: usize) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path(dir, old))?;
        if usize::try_from(file.metadata()?.len()) != Ok(size) {
            return Err(io::Error::other("a segment of another size"));
        }
        // Before it has another name, so that what a crash leaves under either is empty.
        file.write_all_at(&[MAGIC.as_slice(), &[0; frame::PREFIX]].concat(), 0)?;
        file.sync_data()?;
        let map = map(&file, size)?;
        std::fs::rename(path(dir, old), path(dir, id))?;
        Ok(Self { id, file: Arc::new(file), map })
    }

    /// Copies `frame` to position `at`; `false` if there is no room.
    pub fn put(&mut self, at: usize, frame: &Frame<'_>) -> bool {
        let stamp = Stamp::of(self.id);
        self.map.get_mut(at..).is_some_and(|space| frame.copy_to(space, stamp))
    }

    /// Unmaps it; its number and its file.
    pub fn into_file(self) -> (u64, Arc<File>) {
        (self.id, self.file)
    }

    /// Bytes on disk.
    pub fn size(&self) -> usize {
        self.map.len()
    }

    /// Lets go of the pages of a range, for they are about to be flushed. Their bytes stay in the
    /// file, and the next use of a page maps it again.
    ///
    /// A page that is mapped while it is flushed is taken from all processors by an interrupt of
    /// its own, so that the next write to it is noticed: with two of them in a virtual machine
    /// that was 4 µs a record. Pages let go of together take one.
    #[expect(unsafe_code, reason = "for other kinds of maps this advice forgets what was written")]
    pub fn let_go(&self, bytes: Range<usize>) {
        // SAFETY: the map is shared and of a file, so what was written to a page that is dropped
        // from it remains in the file's cache, where the map finds it again (madvise(2)); and no
        // slice of the map is borrowed: `&self` hands out none.
        let dropped = unsafe {
            let advice = UncheckedAdvice::DontNeed;
            self.map.unchecked_advise_range(advice, bytes.start, bytes.len())
        };
        // It is about speed alone: what is refused is flushed all the same.
        drop(dropped);
    }
}

/// The stamp of the frames in a file that begins like this and has this number; none if it is no segment
/// that this version can read.
pub(super) fn stamp(bytes: &[u8], id: u64) -> Option<Stamp> {
    if bytes.starts_with(UNMARKED) {
        return Some(Stamp::NONE);
    }
    // A power cut may have left nothing but zeros.
    let ours = bytes.starts_with(MAGIC) || bytes.iter().all(|byte| *byte == 0);
    ours.then(|| Stamp::of(id))
}

/// The file of a segment.
pub(super) fn path(dir: &Path, id: u64) -> PathBuf {
    dir.join(format!("{id:020}{SUFFIX}"))
}

/// The number of the segment whose file has this name.
pub(super) fn id_of(name: &str) -> Option<u64> {
    name.strip_suffix(SUFFIX)?.parse().ok()
}

#[expect(unsafe_code, reason = "a memory map is the only way to keep bytes without a system call")]
fn map(file: &File, size: usize) -> io::Result<MmapMut> {
    // SAFETY: a map is undefined behaviour if its file is changed or truncated by anyone else
    // while it is borrowed. This file was made by this process, its folder is held under an exclusive
    // lock that every Turnpike process takes, and from here on this process writes to it through this
    // map only and never truncates it. The map of the segment that had the file before, if one had it,
    // is gone. Readers use `read`, not maps.
    unsafe { memmap2::MmapOptions::new().len(size).map_mut(file) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_in_the_file_without_any_flush() {
        let dir = tempfile::tempdir().unwrap();
        let mut segment = Segment::create(dir.path(), 7, 4096).unwrap();
        let frame = Frame::new(b"{\"id\":1}").unwrap();
        assert!(segment.put(BODY, &frame));
        let bytes = std::fs::read(path(dir.path(), 7)).unwrap();
        assert_eq!(bytes.len(), 4096);
        assert_eq!(&bytes[..BODY], MAGIC);
        assert_eq!(&bytes[BODY + 8..BODY + 16], b"{\"id\":1}");
    }

    #[test]
    fn what_is_let_go_stays_in_the_file_and_can_be_written_behind() {
        let dir = tempfile::tempdir().unwrap();
        let mut segment = Segment::create(dir.path(), 7, 3 * 4096).unwrap();
        let long = format!("{{\"id\":\"{}\"}}", "x".repeat(5000));
        let frame = Frame::new(long.as_bytes()).unwrap();
        assert!(segment.put(BODY, &frame));
        segment.let_go(BODY..BODY + frame.len());
        assert!(segment.put(BODY + frame.len(), &frame));
        let bytes = std::fs::read(path(dir.path(), 7)).unwrap();
        assert_eq!(&bytes[..BODY], MAGIC);
        for start in [BODY, BODY + frame.len()] {
            assert_eq!(&bytes[start + 8..start + 8 + long.len()], long.as_bytes());
        }
    }

    #[test]
    fn a_recycled_segment_holds_nothing_of_its_earlier_life() {
        let dir = tempfile::tempdir().unwrap();
        let mut old = Segment::create(dir.path(), 7, 4096).unwrap();
        let frame = Frame::new(b"{\"id\":1}").unwrap();
        let mut at = BODY;
        while old.put(at, &frame) {
            at += frame.len();
        }
        drop(old);
        let mut new = Segment::recycle(dir.path(), 7, 9, 4096).unwrap();
        assert!(!path(dir.path(), 7).exists());
        let read = |at| frame::read(&std::fs::read(path(dir.path(), 9)).unwrap(), at, Stamp::of(9));
        assert_eq!(read(BODY), frame::Found::End);
        for at in (BODY..4096).step_by(frame.len()).take(5) {
            assert!(new.put(at, &frame));
            assert_eq!(read(at), frame::Found::Record(at + 8..at + 16));
            assert_eq!(read(at + frame.len()), frame::Found::End);
        }
    }

    #[test]
    fn a_segment_of_another_size_is_not_recycled() {
        let dir = tempfile::tempdir().unwrap();
        drop(Segment::create(dir.path(), 7, 4096).unwrap());
        assert!(Segment::recycle(dir.path(), 7, 9, 8192).is_err());
        assert!(Segment::recycle(dir.path(), 8, 9, 4096).is_err());
        assert!(path(dir.path(), 7).exists());
    }

    #[test]
    fn a_full_segment_takes_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let mut segment = Segment::create(dir.path(), 1, 100).unwrap();
        let frame = Frame::new(&[b'x'; 40]).unwrap();
        assert!(segment.put(BODY, &frame));
        assert!(!segment.put(BODY + frame.len(), &frame));
    }

    #[test]
    fn names_and_numbers_agree() {
        let file = path(Path::new("/spool"), 42);
        assert_eq!(file.file_name().unwrap(), "00000000000000000042.seg");
        assert_eq!(id_of("00000000000000000042.seg"), Some(42));
        assert_eq!(id_of("lock"), None);
    }
}
