//! Columns for people: headings in capitals, two spaces between, nothing cut.

use unicode_width::UnicodeWidthStr as _;

/// Rows under headings, columns as wide as their widest cell. Every row is as long as `headings`.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.width()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let start = text.len();
        for (cell, width) in cells.zip(&widths) {
            text.push_str(cell);
            let padding = width.saturating_sub(cell.width()) + 2;
            text.extend(std::iter::repeat_n(' ', padding));
        }
        let end = start.max(text.trim_end().len());
        text.truncate(end);
        text.push('\n');
    };
    line(&mut headings.iter().map(|heading| &**heading));
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_have_no_tail() {
        let rows = [vec!["auth".into(), "3/3".into()], vec!["漢字".into(), String::new()]];
        assert_eq!(table(&["NAME", "REPLICAS"], &rows), "NAME  REPLICAS\nauth  3/3\n漢字\n");
    }
}
