//! Text that an object, a peer or another process has written.

/// Whether a terminal obeys the character, or the order of text turns around at it. Newline and tab are ours.
pub fn commands(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
