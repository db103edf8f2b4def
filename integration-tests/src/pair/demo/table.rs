//! Tables for a person: columns of equal width under their heads.

/// The lines of a table, the columns with these numbers aligned to the right.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]], right: &[usize]) -> Vec<String> {
    let head = head.map(str::to_owned);
    let all = || std::iter::once(&head).chain(rows);
    let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = widths[column];
            if right.contains(&column) { format!("  {cell:>width$}") } else { format!("  {cell:<width$}") }
        });
        format!("  {}", cells.collect::<String>()).trim_end().to_owned()
    };
    all().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_one_line_aligned_with_the_others() {
        let rows = [["stripe", "10.00 EUR", "id"], ["braintree", "1.00 EUR", "another"]];
        let rows = rows.map(|row| row.map(str::to_owned));
        assert_eq!(
            table(["provider", "amount", "what"], &rows, &[1]),
            [
                "    provider      amount  what",
                "    stripe     10.00 EUR  id",
                "    braintree   1.00 EUR  another",
            ]
        );
    }
}
