//! Routes that fail are skipped, probed and used again; the mock vendors' logs say what reached them.

mod caps;
mod ejection;
mod recovery;
mod replicas;
mod retries;
mod scene;
mod status;
