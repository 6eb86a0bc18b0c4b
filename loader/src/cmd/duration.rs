//! `500ms`, `10s`, `2m`.

use std::time::Duration;

pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        _ => return Err("expected a number with ms, s or m".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| "expected a number with ms, s or m".to_owned())?;
    match Duration::try_from_secs_f64(number * seconds) {
        Ok(Duration::ZERO) => Err("expected more than no time".to_owned()),
        Ok(duration) => Ok(duration),
        Err(_) => Err("too long".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "5", "s", "5h", "0s", "-1s", "1e9m", "99999999999999999999999m"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
