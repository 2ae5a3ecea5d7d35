//! The public Terraform provider's behaviour, in its own steps: what it sends, what it looks for in
//! answers, and when its plan is empty.

mod kinds;
mod lifecycle;
mod provider;
mod resources;

pub use kinds::{Kind, Reading};
pub use provider::Provider;
