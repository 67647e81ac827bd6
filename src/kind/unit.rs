//! Numbers with a unit, read to whole millicores, bytes and milliseconds.
//!
//! They are written out again as people write them; other ways are for the rules of a platform.

use std::fmt;

use super::Bare;

/// Why a text is no number with a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitMistake {
    /// It does not look like one.
    Malformed,
    /// Its unit is missing where it must be written.
    NoUnit,
    /// Its unit is unknown.
    UnknownUnit,
    /// It is too large, or too small to be told from nothing.
    OutOfRange,
}

impl fmt::Display for UnitMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it does not begin with a number",
            Self::NoUnit => "it has no unit",
            Self::UnknownUnit => "its unit is unknown",
            Self::OutOfRange => "it is out of range",
        })
    }
}

/// The suffixes of a size with their factors.
pub const MEMORY_UNITS: [(&str, f64); 18] = [
    ("B", 1.0),
    ("k", 1e3),
    ("K", 1e3),
    ("kB", 1e3),
    ("KB", 1e3),
    ("M", 1e6),
    ("MB", 1e6),
    ("G", 1e9),
    ("GB", 1e9),
    ("T", 1e12),
    ("TB", 1e12),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
];

/// The suffixes of a time with their factors.
pub const DURATION_UNITS: [(&str, f64); 5] = [("ms", 1.0), ("s", 1e3), ("m", 60e3), ("h", 3_600e3), ("d", 86_400e3)];

/// Returns computing power in cores, or in thousandths of them.
#[must_use]
pub fn cpu_text(millicores: i64) -> String {
    if millicores % 1_000 == 0 {
        (millicores / 1_000).to_string()
    } else {
        format!("{millicores}m")
    }
}

/// Returns a size in the largest binary unit that holds it exactly.
#[must_use]
pub fn memory_text(bytes: i64) -> String {
    let units = [(40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")];
    let fitting = units.iter().find(|(power, _)| bytes > 0 && bytes % (1 << power) == 0);
    match fitting {
        Some((power, unit)) => format!("{}{unit}", bytes >> power),
        None => bytes.to_string(),
    }
}

/// Returns a span of time in hours, minutes, seconds and thousandths of them.
#[must_use]
pub fn duration_text(milliseconds: i64) -> String {
    let parts = [
        (milliseconds / 3_600_000, "h"),
        (milliseconds / 60_000 % 60, "m"),
        (milliseconds / 1_000 % 60, "s"),
        (milliseconds % 1_000, "ms"),
    ];
    let given = parts.iter().filter(|(number, _)| *number > 0);
    let text: String = given.map(|(number, unit)| format!("{number}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Returns the millicores that `text` writes.
///
/// # Errors
///
/// [`UnitMistake`] says why it writes none.
pub fn cpu(text: &str, bare: Bare, core_mhz: i64) -> Result<i64, UnitMistake> {
    let (number, unit) = split(text)?;
    let megahertz = 1000.0 / core_mhz.max(1) as f64;
    let factor = match unit {
        "" => match bare {
            Bare::Cores => 1000.0,
            Bare::Megahertz => megahertz,
            Bare::Refused | Bare::Mebibytes => return Err(UnitMistake::NoUnit),
        },
        "m" => 1.0,
        "MHz" => megahertz,
        "GHz" => megahertz * 1000.0,
        _ => return Err(UnitMistake::UnknownUnit),
    };
    whole(number, factor)
}

/// Returns the bytes that `text` writes.
///
/// # Errors
///
/// [`UnitMistake`] says why it writes none.
pub fn memory(text: &str, bare: Bare) -> Result<i64, UnitMistake> {
    let (number, unit) = split(text)?;
    let factor = match (unit, bare) {
        ("", Bare::Mebibytes) => 1_048_576.0,
        ("", _) if number == 0.0 => 1.0,
        ("", _) => return Err(UnitMistake::NoUnit),
        _ => factor_of(unit, &MEMORY_UNITS)?,
    };
    whole(number, factor)
}

/// Words that people write for units of time, as far as they begin so.
const DURATION_WORDS: [(&str, &str); 8] = [
    ("mil", "ms"),
    ("mse", "ms"),
    ("se", "s"),
    ("S", "s"),
    ("mi", "m"),
    ("ho", "h"),
    ("hr", "h"),
    ("da", "d"),
];

/// Returns how the time is written that `text` names in words: `10s` for `10 seconds`.
#[must_use]
pub fn duration_meant(text: &str) -> Option<String> {
    let mut meant = String::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (number, after) = rest.split_at(number_length(rest));
        let after = after.trim_start();
        let letters = after.find(|it: char| !it.is_ascii_alphabetic()).unwrap_or(after.len());
        let (word, after) = after.split_at(letters);
        let known = DURATION_UNITS.iter().find(|it| it.0 == word).map(|it| it.0);
        let begun = || DURATION_WORDS.iter().find(|it| word.starts_with(it.0)).map(|it| it.1);
        meant.push_str(number);
        meant.push_str(known.or_else(begun)?);
        rest = after.trim_start();
    }
    duration(&meant).is_ok().then_some(meant)
}

/// Returns the milliseconds that `text` writes: one or more numbers with a unit each.
///
/// # Errors
///
/// [`UnitMistake`] says why it writes none.
pub fn duration(text: &str) -> Result<i64, UnitMistake> {
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(0);
    }
    let mut sum: i64 = 0;
    loop {
        let digits = number_length(rest);
        let number: f64 = rest[..digits].parse().map_err(|_| UnitMistake::Malformed)?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|it: char| !it.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = &rest[..letters];
        if unit.is_empty() {
            return Err(UnitMistake::NoUnit);
        }
        let part = whole(number, factor_of(unit, &DURATION_UNITS)?)?;
        sum = sum.checked_add(part).ok_or(UnitMistake::OutOfRange)?;
        rest = rest[letters..].trim_start();
        if rest.is_empty() {
            return Ok(sum);
        }
    }
}

fn factor_of(unit: &str, known: &[(&str, f64)]) -> Result<f64, UnitMistake> {
    let found = known.iter().find(|(name, _)| *name == unit);
    found.map(|(_, factor)| *factor).ok_or(UnitMistake::UnknownUnit)
}

fn number_length(text: &str) -> usize {
    text.find(|it: char| !(it.is_ascii_digit() || it == '.'))
        .unwrap_or(text.len())
}

fn split(text: &str) -> Result<(f64, &str), UnitMistake> {
    let text = text.trim();
    let digits = number_length(text);
    let number = text[..digits].parse().map_err(|_| UnitMistake::Malformed)?;
    Ok((number, text[digits..].trim_start()))
}

fn whole(number: f64, factor: f64) -> Result<i64, UnitMistake> {
    let product = (number * factor).round();
    // Beyond 2^53 a double no longer holds every whole number.
    if product > 9_007_199_254_740_992.0 || (product == 0.0 && number != 0.0) {
        return Err(UnitMistake::OutOfRange);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was just checked")]
    Ok(product as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_read_to_millicores() {
        assert_eq!(cpu("2", Bare::Cores, 1000), Ok(2000));
        assert_eq!(cpu("0.5", Bare::Cores, 1000), Ok(500));
        assert_eq!(cpu("250m", Bare::Cores, 1000), Ok(250));
        assert_eq!(cpu("256", Bare::Megahertz, 1000), Ok(256));
        assert_eq!(cpu("256", Bare::Megahertz, 2000), Ok(128));
        assert_eq!(cpu("250m", Bare::Megahertz, 2000), Ok(250));
        assert_eq!(cpu("1.2GHz", Bare::Cores, 1000), Ok(1200));
        assert_eq!(cpu("250x", Bare::Cores, 1000), Err(UnitMistake::UnknownUnit));
        assert_eq!(cpu("-1", Bare::Cores, 1000), Err(UnitMistake::Malformed));
        assert_eq!(cpu("0.0001", Bare::Cores, 1000), Err(UnitMistake::OutOfRange));
    }

    #[test]
    fn memory_is_read_to_bytes() {
        assert_eq!(memory("512Mi", Bare::Refused), Ok(512 << 20));
        assert_eq!(memory("1.5Gi", Bare::Refused), Ok(3 << 29));
        assert_eq!(memory("128M", Bare::Refused), Ok(128_000_000));
        assert_eq!(memory("128", Bare::Mebibytes), Ok(128 << 20));
        assert_eq!(memory("128", Bare::Refused), Err(UnitMistake::NoUnit));
        assert_eq!(memory("0", Bare::Refused), Ok(0));
        assert_eq!(memory("128Mo", Bare::Refused), Err(UnitMistake::UnknownUnit));
        assert_eq!(memory("", Bare::Refused), Err(UnitMistake::Malformed));
        assert_eq!(memory("99999999T", Bare::Refused), Err(UnitMistake::OutOfRange));
    }

    #[test]
    fn durations_are_read_to_milliseconds() {
        assert_eq!(duration("30s"), Ok(30_000));
        assert_eq!(duration("1m30s"), Ok(90_000));
        assert_eq!(duration("1h"), Ok(3_600_000));
        assert_eq!(duration("250ms"), Ok(250));
        assert_eq!(duration("1.5s"), Ok(1500));
        assert_eq!(duration("0"), Ok(0));
        assert_eq!(duration("30"), Err(UnitMistake::NoUnit));
        assert_eq!(duration("30sec"), Err(UnitMistake::UnknownUnit));
        assert_eq!(duration("s"), Err(UnitMistake::Malformed));
        assert_eq!(duration("1m30"), Err(UnitMistake::NoUnit));
        assert_eq!(duration("10 s"), Ok(10_000));
        assert_eq!(duration("1m 30s"), Ok(90_000));
        assert_eq!(duration("10 sec"), Err(UnitMistake::UnknownUnit));
    }

    #[test]
    fn words_for_times_are_understood() {
        let meant = |text: &str| duration_meant(text);
        assert_eq!(meant("10 sec").as_deref(), Some("10s"));
        assert_eq!(meant("10 secs").as_deref(), Some("10s"));
        assert_eq!(meant("1 minute 30 seconds").as_deref(), Some("1m30s"));
        assert_eq!(meant("250 millis").as_deref(), Some("250ms"));
        assert_eq!(meant("2hours").as_deref(), Some("2h"));
        assert_eq!(meant("3 weeks"), None);
        assert_eq!(meant("seconds"), None);
    }
}
