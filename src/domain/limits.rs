//! Limits that more than one part keeps to.

/// Largest body that the admin and user API take, bytes; whole MiB.
pub const MAX_ADMIN_BODY: usize = 2 << 20;
