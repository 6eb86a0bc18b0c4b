//! The verifier's messages as patterns, and sentences with holes for what a pattern has found.
//!
//! `{reg}` stands for a register (`R0`), `{#name}` for a number, and `{name}` for any text up to what follows it in the
//! pattern. A pattern describes how a line begins; kernels add to the end.

/// What was found, by the names that the pattern gives it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Captures(Vec<(String, String)>);

impl Captures {
    /// The text that was found under this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, text)| text.as_str())
    }

    /// The number that was found under this name.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    /// The register that the message names.
    pub(super) fn register(&self) -> Option<u8> {
        self.get("reg")?.strip_prefix('R')?.parse().ok()
    }

    /// Adds what was found elsewhere.
    pub(super) fn add(&mut self, name: &str, text: String) {
        self.0.push((name.to_owned(), text));
    }

    /// Adds all that another pattern found.
    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Fills the holes of a sentence; a hole for which there is nothing keeps its name.
    pub(super) fn fill(&self, sentence: &str) -> String {
        holes(sentence, |name| self.get(name).unwrap_or(name).to_owned())
    }
}

/// How a pattern or sentence reads where nothing has been found yet: `{reg}` as `Rn`, other holes in capital letters.
pub(super) fn in_general(text: &str) -> String {
    holes(text, |name| if name == "reg" { "Rn".to_owned() } else { name.to_ascii_uppercase() })
}

/// Puts something into each hole.
fn holes(text: &str, filled: impl Fn(&str) -> String) -> String {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, (name, after))) = rest.split_once('{').and_then(|(a, b)| Some((a, b.split_once('}')?))) {
        whole.push_str(before);
        whole.push_str(&filled(name.trim_start_matches('#')));
        rest = after;
    }
    whole + rest
}

/// Holds a line against a pattern.
pub(super) fn find(pattern: &str, line: &str) -> Option<Captures> {
    let mut found = Captures::default();
    let (mut pattern, mut line) = (pattern, line);
    while let Some((literal, rest)) = pattern.split_once('{') {
        let (name, after) = rest.split_once('}')?;
        line = line.strip_prefix(literal)?;
        let length = match name.strip_prefix('#') {
            Some(_) => number_length(line),
            None if name == "reg" => register_length(line),
            None => text_length(line, after),
        };
        let (text, left) = line.split_at_checked(length).filter(|(text, _)| !text.is_empty())?;
        found.add(name.trim_start_matches('#'), text.to_owned());
        (pattern, line) = (after, left);
    }
    line.starts_with(pattern).then_some(found)
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn number_length(line: &str) -> usize {
    let sign = usize::from(line.starts_with('-'));
    match line.get(sign..).map_or(0, digits) {
        0 => 0,
        length => sign + length,
    }
}

fn register_length(line: &str) -> usize {
    match line.strip_prefix('R').map_or(0, digits) {
        0 => 0,
        length => 1 + length,
    }
}

/// Text ends where the pattern's next literal begins; at the end of the pattern it is the rest of the line.
fn text_length(line: &str, after: &str) -> usize {
    match after.split('{').next().unwrap_or_default() {
        "" => line.len(),
        literal => line.find(literal).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_finds_registers_numbers_and_text() {
        let found = find("{reg} access '{type}' off={#off} size", "R10 access 'map_value' off=-8 size=4").unwrap();
        assert_eq!((found.register(), found.get("type"), found.number("off")), (Some(10), Some("map_value"), Some(-8)));
        assert_eq!(found.fill("{reg}: {off} of {type}, {nothing}"), "R10: -8 of map_value, nothing");
    }

    #[test]
    fn a_line_that_is_cut_short_or_odd_matches_nothing() {
        let pattern = "{reg} access '{type}' off={#off}";
        for line in ["", "R", "R1", "R1 access '", "R1 access 'x", "Rx access 'x' off=1", "R1 access 'x' off=-", "ä"] {
            assert_eq!(find(pattern, line), None, "{line}");
        }
    }

    #[test]
    fn in_general_a_hole_shows_its_name() {
        assert_eq!(in_general("{reg} off={#off} }{ {x"), "Rn off=OFF }{ {x");
    }
}
