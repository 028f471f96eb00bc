//! Takes the kernel's text apart without copying it.

use std::str::FromStr;

/// The lines of a text, without their ends.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())
}

/// The fields of a line, parted by any number of blanks.
pub(super) fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| byte.is_ascii_whitespace())
        .filter(|field| !field.is_empty())
}

/// A number, if the field is one.
pub(super) fn number<T: FromStr>(field: &[u8]) -> Option<T> {
    std::str::from_utf8(field).ok()?.trim().parse().ok()
}

/// A finite decimal number, if the field is one. The kernel writes no `inf` and no `nan`.
pub(super) fn decimal(field: &[u8]) -> Option<f64> {
    number(field).filter(|value: &f64| value.is_finite())
}

/// A field as text; what is not UTF-8 is shown as such.
pub(super) fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field).into_owned()
}

/// The value after `name` in a `name: value` line, as `/proc/meminfo` and `/proc/cpuinfo` have them.
pub(super) fn value_of<'l>(line: &'l [u8], name: &str) -> Option<&'l [u8]> {
    let rest = line.strip_prefix(name.as_bytes())?.trim_ascii_start();
    rest.strip_prefix(b":").map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fields_and_values_are_found() {
        let text = b"cpu  1 2\n\nMemTotal:   7 kB\n";
        let found: Vec<&[u8]> = lines(text).collect();
        assert_eq!(found, [b"cpu  1 2".as_slice(), b"MemTotal:   7 kB"]);
        assert_eq!(fields(b" a  b\tc ").collect::<Vec<_>>(), [b"a", b"b", b"c"]);
        assert_eq!(
            value_of(b"cpu MHz\t\t: 2499.998", "cpu MHz"),
            Some(b"2499.998".as_slice())
        );
        assert_eq!(value_of(b"MemTotalled: 1", "MemTotal"), None);
    }

    #[test]
    fn only_finite_numbers_are_numbers() {
        assert_eq!(number::<u64>(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(number::<u64>(b"18446744073709551616"), None);
        assert_eq!(decimal(b"1.5"), Some(1.5));
        assert_eq!(decimal(b"nan"), None);
        assert_eq!(decimal(b"inf"), None);
    }
}
