use super::*;

#[test]
fn a_day_is_read_or_there_is_none() {
    assert_eq!(date(Some("2026-02-28")), NaiveDate::from_ymd_opt(2026, 2, 28));
    for text in ["2026-02-30", "soon", "", "2026-02-28T00:00:00Z"] {
        assert_eq!(date(Some(text)), None, "{text}");
    }
    assert_eq!(date(None), None);
}
