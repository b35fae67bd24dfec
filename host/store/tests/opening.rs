//! What is no store of ours is left alone, and what goes wrong has a name.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::thread;

use common::enter;
use rusqlite::Connection;
use tiltyard_store::{OpenError, Store, StoreError};

/// An error and what it comes from, with the folder cut out.
fn told(error: &dyn Error, folder: &Path) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text += &format!(": {source}");
        next = source.source();
    }
    text.replace(folder.to_str().unwrap(), "ws")
}

#[test]
fn what_is_no_store_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut messages = String::new();
    let mut refused = |name: &str| {
        let path = folder.path().join(name);
        let before = fs::read(&path).ok();
        messages += &told(&Store::open(&path).unwrap_err(), folder.path());
        messages += "\n";
        assert_eq!(fs::read(&path).ok(), before, "{name}");
    };
    fs::write(folder.path().join("text"), "Dear diary, ".repeat(200)).unwrap();
    refused("text");
    fs::write(folder.path().join("short"), "x").unwrap();
    refused("short");
    fs::write(folder.path().join("zeros"), [0; 8192]).unwrap();
    refused("zeros");
    let other = Connection::open(folder.path().join("other.db")).unwrap();
    other.execute_batch("CREATE TABLE diary (day TEXT); PRAGMA user_version = 3").unwrap();
    other.close().unwrap();
    refused("other.db");
    let marked = Connection::open(folder.path().join("marked.db")).unwrap();
    marked.pragma_update(None, "application_id", 7).unwrap();
    marked.close().unwrap();
    refused("marked.db");
    fs::create_dir(folder.path().join("folder")).unwrap();
    refused("folder");
    refused("missing/workspace.db");
    drop(Store::open(folder.path().join("newer.db")).unwrap());
    let newer = Connection::open(folder.path().join("newer.db")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    newer.close().unwrap();
    refused("newer.db");
    insta::assert_snapshot!(messages, @"
    ws/text is not a database; give another path, or move the file away to begin anew
    ws/short is not a database; give another path, or move the file away to begin anew
    ws/zeros is not a database; give another path, or move the file away to begin anew
    ws/other.db is a database of another program (application id 0); give another path
    ws/marked.db is a database of another program (application id 7); give another path
    ws/folder cannot be opened; see that its folder exists and that file and folder can be written
    ws/missing/workspace.db cannot be opened; see that its folder exists and that file and folder can be written
    ws/newer.db has schema 99, and this program knows schemas up to 5; use the newer tiltyard that wrote it
    ");
}

#[test]
fn an_empty_file_becomes_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("workspace.db");
    fs::write(&path, "").unwrap();
    Store::open(&path).unwrap().check().unwrap();
    // Names that SQLite reads as addresses are paths here.
    let odd = folder.path().join("file:a?mode=memory");
    drop(Store::open(&odd).unwrap());
    assert!(odd.is_file());
}

#[test]
fn several_that_open_a_new_store_at_once_all_get_it() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let path = folder.path().join(format!("{round}.db"));
        thread::scope(|scope| {
            let openers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| Store::open(&path).unwrap().batch(|batch| enter(batch, "a", [1])).unwrap()))
                .collect();
            openers.into_iter().for_each(|opener| assert_eq!(opener.join().unwrap().len(), 1));
        });
        Store::open(&path).unwrap().check().unwrap();
    }
}

#[test]
fn a_damaged_page_is_an_error_and_not_a_wrong_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("workspace.db");
    let mut store = Store::open(&path).unwrap();
    store.batch(|batch| enter(batch, "a", 0..2_000)).unwrap();
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0xA5);
    fs::write(&path, bytes).unwrap();
    let store = Store::open(&path).unwrap();
    assert!(matches!(store.check(), Err(StoreError::Damaged(_))));
    let component = common::variant("a", 1).component();
    let read = store.variants_of(component);
    assert!(matches!(read, Err(StoreError::Damaged(_) | StoreError::Unreadable { .. })), "{read:?}");
}

/// Patience is five seconds, so this test takes as long.
#[test]
fn a_store_that_somebody_else_writes_to_is_locked_for_writers_and_open_to_readers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("workspace.db");
    let mut store = Store::open(&path).unwrap();
    store.batch(|batch| enter(batch, "a", [1])).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.components().unwrap().len(), 1);
    assert!(matches!(store.batch(|batch| enter(batch, "b", [1])), Err(StoreError::Locked)));
    other.execute_batch("ROLLBACK").unwrap();
    store.batch(|batch| enter(batch, "b", [1])).unwrap();
    assert_eq!(store.components().unwrap().len(), 2);
}

/// Who may write everything is asked to try it as somebody who may not.
#[test]
fn a_file_or_folder_that_cannot_be_written_is_refused() {
    if let Some(folder) = std::env::var_os("TILTYARD_READ_ONLY_FOLDER") {
        let folder = Path::new(&folder);
        let file = Store::open(folder.join("file/workspace.db")).unwrap_err();
        assert!(matches!(file, OpenError::ReadOnly { .. }), "{file}");
        let whole = Store::open(folder.join("whole/workspace.db")).unwrap_err();
        assert!(matches!(whole, OpenError::ReadOnly { .. } | OpenError::Unopenable { .. }), "{whole}");
        let new = Store::open(folder.join("whole/new.db")).unwrap_err();
        assert!(matches!(new, OpenError::Unopenable { .. }), "{new}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for (name, file_mode, folder_mode) in [("file", 0o444, 0o777), ("whole", 0o444, 0o555)] {
        let inner = folder.path().join(name);
        fs::create_dir(&inner).unwrap();
        drop(Store::open(inner.join("workspace.db")).unwrap());
        mode(&inner.join("workspace.db"), file_mode);
        mode(&inner, folder_mode);
    }
    mode(folder.path(), 0o755);
    // A copy, because the folder of the original may be closed to others.
    let program = folder.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut test = Command::new(&program);
    test.args(["--exact", "a_file_or_folder_that_cannot_be_written_is_refused"]);
    test.env("TILTYARD_READ_ONLY_FOLDER", folder.path()).current_dir("/");
    let root = fs::metadata(folder.path()).is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0);
    if root {
        test.uid(65_534).gid(65_534);
    }
    let output = test.output().unwrap();
    mode(&folder.path().join("whole"), 0o755);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
