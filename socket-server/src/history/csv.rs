//! A history as CSV (RFC 4180). Pure.

use std::fmt::Write as _;

use metric_flow_protocol::series::History;

/// One line for each point: its time, its coverage, then mean, min and max of each series; an empty field where
/// there is no value.
pub fn to_csv(history: &History) -> String {
    let mut text = String::from("time_unix_ms,coverage");
    for column in &history.columns {
        for part in ["mean", "min", "max"] {
            text.push(',');
            text.push_str(&quoted(&format!("{} {part}", column.series)));
        }
    }
    text.push_str("\r\n");
    for (row, time) in history.times_unix_ms.iter().enumerate() {
        let coverage = history.coverage.get(row).copied().unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = write!(text, "{time},{coverage}");
        for column in &history.columns {
            for part in [&column.mean, &column.min, &column.max] {
                text.push(',');
                if let Some(value) = part.get(row).copied().flatten() {
                    let _ = write!(text, "{value}");
                }
            }
        }
        text.push_str("\r\n");
    }
    text
}

/// Quotes a field where needed. One that a spreadsheet would take for a formula gets a quote in front: names come
/// from hosts, which need not be trusted.
fn quoted(field: &str) -> String {
    let field = match field.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{field}"),
        _ => field.to_owned(),
    };
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}

#[cfg(test)]
mod tests {
    use metric_flow_protocol::series::Column;

    use super::*;

    #[test]
    fn holes_are_empty_and_odd_names_are_quoted() {
        let history = History {
            times_unix_ms: vec![0, 1_000],
            coverage: vec![1.0, 0.0],
            columns: vec![Column {
                series: "file_system_used_bytes:/a,\"b".to_owned(),
                mean: vec![Some(1.5), None],
                min: vec![Some(1.0), None],
                max: vec![Some(2.0), None],
            }],
            ..History::default()
        };
        let name = "file_system_used_bytes:/a,\"\"b";
        let head = format!("time_unix_ms,coverage,\"{name} mean\",\"{name} min\",\"{name} max\"");
        assert_eq!(
            to_csv(&history),
            format!("{head}\r\n0,1,1.5,1,2\r\n1000,0,,,\r\n")
        );
    }
}
