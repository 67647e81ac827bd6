//! The manifest: whatever stands in its files, what is saved of it is read back as the same.

use std::fs;

use groundplan::shell::disk::Disk;
use groundplan::shell::manifest::{self, FOLDER, Manifest};
use tempfile::TempDir;

use super::{Verdict, are_placed};

thread_local! {
    // In memory, where there is such a place: files are made and lost a thousand times a second.
    static FOLDERS: TempDir = TempDir::new_in("/dev/shm")
        .or_else(|_| TempDir::new())
        .expect("there is a temporary folder");
}

/// Fails where what must hold of any input does not hold of this one.
pub fn hold(bytes: &[u8]) -> Verdict {
    FOLDERS.with(|folder| {
        let disk = Disk::open(folder.path()).expect("it is there");
        let shards = folder.path().join(FOLDER);
        if shards.exists() {
            fs::remove_dir_all(&shards).expect("it is ours");
        }
        fs::create_dir_all(&shards).expect("it is ours");
        fs::write(shards.join("+.txt"), bytes).expect("it is ours");
        let (mut manifest, problems) = Manifest::load(&disk).expect("the file can be read");
        let text = String::from_utf8_lossy(bytes);
        are_placed(&problems, &format!("{FOLDER}/+.txt").into(), &text);
        for record in manifest.records() {
            let line = manifest::line(record);
            assert_eq!(manifest::parse_line(&line).as_ref(), Ok(record), "{line:?}");
            assert_eq!(manifest.get(&record.path), Some(record));
        }
        if !problems.is_empty() {
            assert!(manifest.is_unsettled(), "what is damaged is written anew");
        }
        manifest.save(&disk).expect("it can be written");
        let (again, problems) = Manifest::load(&disk).expect("the files can be read");
        assert_eq!(again.records(), manifest.records());
        assert!(problems.is_empty(), "{problems:?}");
    });
    Verdict::Read
}
