//! The file: what is read back, half a line, another's file, and how it is written anew.

use super::*;

/// Fills a file with places, the first of which are free again.
fn fill(path: &Path, count: u64, back: u64) {
    let (mut file, mut windows) = StateFile::open(path).unwrap();
    for index in 0..count {
        let entry = windows.reserve(place(&index.to_string(), 1), true, &Limits::default(), index).unwrap();
        file.refund(&entry).unwrap();
        if index < back {
            assert!(windows.give_back(entry.id));
            file.back(entry.id).unwrap();
        }
    }
}

#[test]
fn a_file_is_read_back_as_it_was() {
    let (_folder, path) = in_folder();
    fill(&path, 5, 2);
    let (_, windows) = StateFile::open(&path).unwrap();
    let ids: Vec<_> = windows.entries().map(|entry| (entry.id, entry.place.key.clone())).collect();
    assert_eq!(ids, [(2, "2".into()), (3, "3".into()), (4, "4".into())]);
    assert_eq!(windows.next(), 5);
}

#[test]
fn a_torn_last_line_is_cut_off_wherever_it_ends() {
    let (_folder, path) = in_folder();
    fill(&path, 2, 0);
    let whole = fs::read(&path).unwrap();
    let first = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    for end in first..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        let (mut file, mut windows) = StateFile::open(&path).unwrap();
        assert_eq!(windows.entries().len(), 1, "{end}");
        file.refund(&windows.reserve(place("x", 1), true, &Limits::default(), 9).unwrap()).unwrap();
        drop(file);
        assert_eq!(StateFile::open(&path).unwrap().1.entries().len(), 2, "{end}");
    }
}

#[test]
fn a_line_that_is_none_of_ours_is_an_error_and_no_refund_is_forgotten() {
    let (_folder, path) = in_folder();
    fill(&path, 2, 0);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}nonsense\n{text}")).unwrap();
    let error = StateFile::open(&path).unwrap_err();
    assert!(matches!(error, StateError::NotOurs { line: 3, .. }), "{error}");
}

#[test]
fn two_processes_do_not_share_a_file() {
    let (_folder, path) = in_folder();
    let _first = StateFile::open(&path).unwrap();
    assert!(matches!(StateFile::open(&path).unwrap_err(), StateError::InUse { .. }));
}

#[test]
fn a_long_file_is_written_anew_and_says_the_same() {
    let (_folder, path) = in_folder();
    fill(&path, 700, 690);
    let before = fs::metadata(&path).unwrap().len();
    let (file, windows) = StateFile::open(&path).unwrap();
    assert_eq!(windows.next(), 700);
    drop(file);
    assert!(fs::metadata(&path).unwrap().len() < before / 10);
    let (_file, windows) = StateFile::open(&path).unwrap();
    assert_eq!((windows.entries().len(), windows.next()), (10, 700));
    assert!(
        matches!(StateFile::open(&path).unwrap_err(), StateError::InUse { .. }),
        "the new one is locked too"
    );
}

#[test]
fn a_file_without_any_place_still_knows_which_ids_there_were() {
    let (_folder, path) = in_folder();
    fill(&path, 600, 600);
    drop(StateFile::open(&path).unwrap());
    let (_, windows) = StateFile::open(&path).unwrap();
    assert_eq!((windows.entries().len(), windows.next()), (0, 600));
}
