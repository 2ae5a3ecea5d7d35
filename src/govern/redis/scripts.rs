//! The scripts, put together from their files.

use std::sync::LazyLock;

use super::link::Script;

const COMMON: &str = include_str!("common.lua");
const WINDOW: &str = include_str!("window.lua");
const BUDGET: &str = include_str!("budget.lua");

fn script(parts: &[&str]) -> Script {
    Script::new(&parts.concat())
}

pub(in crate::govern) static ADMIT: LazyLock<Script> =
    LazyLock::new(|| script(&[COMMON, WINDOW, BUDGET, include_str!("admit.lua")]));
pub(in crate::govern) static SETTLE: LazyLock<Script> =
    LazyLock::new(|| script(&[COMMON, WINDOW, BUDGET, include_str!("settle.lua")]));
pub(in crate::govern) static OPEN: LazyLock<Script> =
    LazyLock::new(|| script(&[COMMON, include_str!("open.lua")]));
pub(in crate::govern) static BEGIN: LazyLock<Script> =
    LazyLock::new(|| script(&[COMMON, include_str!("begin.lua")]));
pub(in crate::govern) static RECONCILE: LazyLock<Script> =
    LazyLock::new(|| script(&[COMMON, include_str!("reconcile.lua")]));
pub(in crate::govern) static BEAT: LazyLock<Script> =
    LazyLock::new(|| script(&[COMMON, include_str!("beat.lua")]));
