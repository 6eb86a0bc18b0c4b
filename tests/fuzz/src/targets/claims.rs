//! What must hold of whatever minibpf says.

/// A refusal is words, and not as long as the file that is refused.
pub fn names_a_place(message: &str) {
    assert!(message.contains(' '), "no words: {message:?}");
    assert!(message.len() < 1 << 20, "a message of {} bytes", message.len());
}

/// No byte begins a command to a terminal.
pub fn obeyed_by_no_terminal(text: &str) {
    let commands = |letter: char| letter.is_control() && letter != '\n';
    assert!(!text.contains(commands), "a control character in {text:?}");
}
