//! Where real market data is.

use std::env;
use std::path::{Path, PathBuf};

/// The folder of test data: `TILTYARD_TEST_DATA`, or `shared/data` beside the workspace.
pub(crate) fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = env::var_os("TILTYARD_TEST_DATA").map_or_else(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(env::var("CI").as_deref() != Ok("true"), "no test data; set TILTYARD_TEST_DATA to its folder");
    #[expect(clippy::print_stderr, reason = "a test that tests nothing says so")]
    {
        eprintln!("skipped: no test data; set TILTYARD_TEST_DATA to its folder");
    }
    None
}
