//! The chain over restarts, crashes and rotations, and whatever was done to the file.

use super::*;

#[test]
fn the_chain_goes_on_over_restarts() {
    let log = Log::new();
    log.write(2);
    log.write(0);
    log.write(1);
    assert_eq!(log.verify().unwrap().lines, 9);
}

#[test]
fn any_changed_added_or_missing_line_is_found_and_named() {
    let log = Log::new();
    log.write(4);
    let sound = fs::read_to_string(log.path()).unwrap();
    let lines: Vec<&str> = sound.lines().collect();
    for index in 0..lines.len() {
        let mut taken = lines.clone();
        taken.remove(index);
        let is_last = index == lines.len() - 1;
        fs::write(log.path(), taken.join("\n") + "\n").unwrap();
        let fault = if index == 0 { Fault::Beginning } else { Fault::Previous };
        // That the end is missing shows only beside its hash.
        assert_eq!(log.verify().err(), (!is_last).then_some((index as u64 + 1, fault)), "without {index}");

        let mut doubled = lines.clone();
        doubled.insert(index, lines[index]);
        fs::write(log.path(), doubled.join("\n") + "\n").unwrap();
        assert_eq!(log.verify().unwrap_err(), (index as u64 + 2, Fault::Previous), "{index} twice");

        let changed = lines[index].replace("\"event\"", "\"event\" ");
        let mut swapped = lines.clone();
        swapped[index] = &changed;
        fs::write(log.path(), swapped.join("\n") + "\n").unwrap();
        assert_eq!(
            log.verify().err(),
            (!is_last).then_some((index as u64 + 2, Fault::Previous)),
            "{index} changed"
        );
    }
    fs::write(log.path(), sound.trim_end()).unwrap();
    assert_eq!(log.verify().unwrap_err(), (6, Fault::Incomplete));
    fs::write(log.path(), sound.replacen("\"event\"", "event", 1)).unwrap();
    assert_eq!(log.verify().unwrap_err(), (1, Fault::Half));
}

#[test]
fn half_a_line_of_a_crash_stays_and_the_next_line_says_so() {
    let log = Log::new();
    log.write(2);
    let whole = fs::read(log.path()).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    // The crash may come after any byte of the last line.
    for cut in last + 1..whole.len() {
        fs::write(log.path(), &whole[..cut]).unwrap();
        log.write(1);
        let text = fs::read(log.path()).unwrap();
        assert_eq!(text[..cut], whole[..cut], "what was there is not rewritten");
        let said: Value =
            serde_json::from_slice(text[cut + 1..].split(|&byte| byte == b'\n').next().unwrap()).unwrap();
        assert_eq!((&said["event"], &said["bytes"]), (&"torn_line".into(), &(cut - last).into()));
        let verified = log.verify().unwrap_or_else(|error| panic!("cut at {cut}: {error:?}"));
        // Where only the line break was missing the line is whole.
        let whole_before = if cut == whole.len() - 1 { 4 } else { 3 };
        assert_eq!(verified.lines, whole_before + 4);
    }
    // Between two lines nothing is torn.
    fs::write(log.path(), &whole[..last]).unwrap();
    log.write(0);
    assert_eq!(events(&log.lines()), ["started", "request", "request", "started", "stopped"]);
    log.verify().unwrap();
}

#[test]
fn half_a_first_line_and_two_crashes_in_a_row_are_survived() {
    let log = Log::new();
    fs::write(log.path(), format!("{{\"previous\":\"{}", &chain::GENESIS[..20])).unwrap();
    log.write(0);
    assert_eq!(log.verify().unwrap().lines, 3);
    let whole = fs::read(log.path()).unwrap();
    for second in [&b""[..], b"{\"previous\":\"12"] {
        fs::write(log.path(), [&whole[..], b"{\"prev\n", second].concat()).unwrap();
        log.write(0);
        assert_eq!(log.verify().unwrap().lines, 6);
    }
}

#[test]
fn half_a_line_that_nobody_spoke_of_or_that_was_put_there_is_found() {
    let log = Log::new();
    log.write(2);
    let whole = fs::read_to_string(log.path()).unwrap();
    let half = whole.replacen("\n{\"previous\"", "\n{\"prev\n{\"previous\"", 1);
    fs::write(log.path(), half).unwrap();
    assert_eq!(log.verify().unwrap_err(), (2, Fault::Half));
    // After a true crash: the half line is changed, and another line is put before it.
    fs::write(log.path(), format!("{whole}{{\"prev")).unwrap();
    log.write(0);
    let survived = fs::read_to_string(log.path()).unwrap();
    fs::write(log.path(), survived.replace("{\"prev\n", "{\"Prev\n")).unwrap();
    assert_eq!(log.verify().unwrap_err(), (5, Fault::Half));
    let lines: Vec<&str> = survived.lines().collect();
    let mut without = lines.clone();
    without.remove(3);
    fs::write(log.path(), without.join("\n") + "\n").unwrap();
    assert_eq!(log.verify().unwrap_err(), (5, Fault::Torn));
}

#[test]
fn the_last_whole_line_is_found_behind_very_long_ones() {
    let log = Log::new();
    let owner = log.open();
    owner.record(&record(&format!("/{}", "x".repeat(300_000))));
    drop(owner);
    let whole = fs::read(log.path()).unwrap();
    fs::write(log.path(), &whole[..whole.len() - 200]).unwrap();
    log.write(0);
    log.verify().unwrap();
}

#[test]
fn the_chain_goes_on_in_the_file_after_a_rotation() {
    let log = Log::new();
    let owner = log.open();
    let mut files = Vec::new();
    for round in 0..3 {
        owner.record(&record(&format!("/{round}")));
        let old = log.folder.path().join(format!("audit.jsonl.{round}"));
        owner.flush().unwrap();
        fs::rename(log.path(), &old).unwrap();
        files.push(old);
        owner.reopen();
        owner.flush().unwrap();
    }
    owner.record(&record("/last"));
    drop(owner);
    files.push(log.path());
    let counts: Vec<_> = files.iter().map(|path| lines(path).len()).collect();
    assert_eq!(counts, [2, 1, 1, 2]);
    let whole = broken(verify(&files, false)).unwrap();
    assert_eq!(whole.lines, 6);
    // Without the oldest one, when that is said; not without one between, and not in another order.
    assert_eq!(broken(verify(&files[1..], true)).unwrap().head, whole.head);
    assert_eq!(broken(verify(&files[1..], false)).unwrap_err(), (1, Fault::Beginning));
    let gap = [files[0].clone(), files[2].clone()];
    assert_eq!(broken(verify(&gap, false)).unwrap_err(), (1, Fault::Previous));
    files.swap(1, 2);
    assert!(verify(&files, false).unwrap_err().to_string().contains("audit.jsonl.2: line 1: "));
}
