//! Dates as people and programs write them: UTC, to the millisecond.

use super::time::WallMs;

/// Milliseconds of a day.
pub const DAY_MS: u64 = 86_400_000;

/// The year, month and day of a day counted from 1970: Howard Hinnant's `civil_from_days`, for days not before it.
pub fn civil(day: u64) -> (u64, u64, u64) {
    // Counted from 1 March of the year 0, so that a leap day ends its year.
    let from_march = day + 719_468;
    let (era, of_era) = (from_march / 146_097, from_march % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// The day counted from 1970 of a date; the inverse of [`civil`], also before 1970.
fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// `2024-05-01T12:00:00.000Z`.
pub fn iso(ms: WallMs) -> String {
    let (year, month, day) = civil(ms / DAY_MS);
    let (hour, minute) = (ms / 3_600_000 % 24, ms / 60_000 % 60);
    let (second, milli) = (ms / 1_000 % 60, ms % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// The moment of a date as clients send it: an ISO date, a date and a time with or without an offset (none is UTC),
/// or milliseconds as digits. A time before 1970 is 1970.
pub fn parse(text: &str) -> Option<WallMs> {
    let text = text.trim().trim_matches('"');
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() != 4 {
        return text.parse().ok();
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, ""),
    };
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    let day = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let within = if time.is_empty() { 0 } else { time_ms(time)? };
    let ms = day_of(year, month, day) * DAY_MS as i64 + within;
    Some(ms.max(0) as WallMs)
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let fine = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if fine { text.parse().ok() } else { None }
}

/// Milliseconds since midnight UTC of `12:30`, `12:30:05`, `12:30:05.123` with `Z`, `+02:00`, `+0200` or nothing.
fn time_ms(text: &str) -> Option<i64> {
    // A plus sign in an address that was not escaped arrives as a space.
    let (clock, offset) = match text.find(['Z', 'z', '+', '-', ' ']) {
        Some(at) => (text.get(..at)?, text.get(at..)?),
        None => (text, "Z"),
    };
    let mut parts = clock.split(':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let (second, milli) = match parts.next() {
        Some(part) => match part.split_once(['.', ',']) {
            Some((second, fraction)) => (digits(second, 2)?, millis(fraction)?),
            None => (digits(part, 2)?, 0),
        },
        None => (0, 0),
    };
    if parts.next().is_some() || hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    Some(((hour * 60 + minute) * 60 + second) * 1_000 + milli - offset_ms(offset)?)
}

fn millis(fraction: &str) -> Option<i64> {
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<3}")[..3].parse().ok()
}

fn offset_ms(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("Z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let bare: String = text[1..].chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = match bare.len() {
        2 => (digits(&bare, 2)?, 0),
        4 => (digits(&bare[..2], 2)?, digits(&bare[2..], 2)?),
        _ => return None,
    };
    Some(sign * (hours * 60 + minutes) * 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_and_read_back() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_714_564_800_123, "2024-05-01T12:00:00.123Z"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(iso(ms), text);
            assert_eq!(parse(text), Some(ms));
        }
        for day in (0..80_000).step_by(13) {
            assert_eq!(parse(&iso(day * DAY_MS + 1)), Some(day * DAY_MS + 1));
        }
    }

    #[test]
    fn dates_are_read_as_clients_send_them() {
        let noon = Some(1_714_564_800_000);
        for text in [
            "2024-05-01T14:00:00+02:00",
            "2024-05-01T14:00:00+0200",
            "2024-05-01T14:00:00 02:00",
            "2024-05-01T06:30:00.000-05:30",
            "2024-05-01 12:00",
            "2024-05-01T12:00:00.000000Z",
            "\"2024-05-01T12:00:00Z\"",
            "1714564800000",
        ] {
            assert_eq!(parse(text), noon, "{text}");
        }
        assert_eq!(parse("2024-05"), parse("2024-05-01"));
        assert_eq!(parse("1969-12-31T23:00:00Z"), Some(0));
        for bad in
            ["", "x", "2024-13-01", "2023-02-29", "2024-05-01T", "2024-05-01T1:00", "2024-05-01T12:00é", "é"]
        {
            let time_missing = bad == "2024-05-01T";
            assert_eq!(parse(bad).is_some(), time_missing, "{bad}");
        }
    }
}
