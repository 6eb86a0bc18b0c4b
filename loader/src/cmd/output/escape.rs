//! Nothing that an object, a peer or another process has written commands the terminal.

use minibpf::explain::foreign::commands;

/// A line of JSON, from `start` on: they become `\uNNNN`, which means the same. Outside of strings there are none.
pub(super) fn json(buffer: &mut Vec<u8>, start: usize) {
    escape(buffer, start, |c| format!("\\u{:04x}", u32::from(c)));
}

/// Text for people, from `start` on: they become `\u{NN}`.
pub(super) fn text(buffer: &mut Vec<u8>, start: usize) {
    escape(buffer, start, |c| c.escape_default().to_string());
}

fn escape(buffer: &mut Vec<u8>, start: usize, how: impl Fn(char) -> String) {
    let line = buffer.get(start..).unwrap_or_default();
    if line.iter().all(|&byte| matches!(byte, b'\t' | b'\n' | 0x20..0x7f)) {
        return;
    }
    // It was written by `fmt` or serde_json, so it is UTF-8.
    let text = String::from_utf8_lossy(line).into_owned();
    buffer.truncate(start);
    for c in text.chars() {
        if commands(c) {
            buffer.extend(how(c).bytes());
        } else {
            buffer.extend(c.encode_utf8(&mut [0; 4]).bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_means_the_same_in_json() {
        let text = "é \u{9b}31m \u{202e} \u{7f} \u{1b}[m";
        let mut buffer = serde_json::to_vec(text).unwrap();
        json(&mut buffer, 0);
        assert_eq!(std::str::from_utf8(&buffer).unwrap(), r#""é \u009b31m \u202e \u007f \u001b[m""#);
        assert_eq!(serde_json::from_slice::<String>(&buffer).unwrap(), text);
    }

    #[test]
    fn text_keeps_its_lines_and_loses_its_commands() {
        let mut buffer = "before\u{1b} ".as_bytes().to_vec();
        let start = buffer.len();
        buffer.extend("é\ta\nb\r\u{1b}[2J\u{202e}".bytes());
        text(&mut buffer, start);
        assert_eq!(std::str::from_utf8(&buffer).unwrap(), "before\u{1b} é\ta\nb\\r\\u{1b}[2J\\u{202e}");
    }
}
