use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};

use crate::text::parse_digits;

/// What can be shown on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// The number of characters in a line; `None` if it is not a terminal.
    pub width: Option<usize>,
    /// Whether the locale has characters beyond ASCII.
    pub unicode: bool,
    /// Whether it is a terminal that understands escape sequences.
    pub escapes: bool,
    /// Whether the environment asks for colours (`true`) or for none.
    pub colors: Option<bool>,
}

impl Terminal {
    /// Returns what can be shown on the standard output of this process.
    pub fn of_stdout() -> Self {
        let stdout = io::stdout();
        let width = if stdout.is_terminal() {
            rustix::termios::tcgetwinsize(&stdout).map_or(0, |size| size.ws_col.into())
        } else {
            0
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(variable);
        let has_escapes = variable("TERM").is_some_and(|term| term != "dumb");
        Terminal {
            width: (width > 0).then_some(width),
            unicode: locale.is_some_and(|locale| is_utf8_locale(&locale)),
            escapes: width > 0 && has_escapes,
            colors: if variable("NO_COLOR").is_some() {
                Some(false)
            } else {
                let force = variable("CLICOLOR_FORCE");
                force.filter(|value| value != "0").map(|_| true)
            },
        }
    }

    /// Returns whether to show colours unless an option says so.
    pub(super) fn has_colors(self) -> bool {
        self.colors.unwrap_or(self.escapes)
    }
}

/// Returns the width of a line that a program asks for which shows the output
/// itself, as watch(1) does.
pub(super) fn width_of_environment() -> Option<usize> {
    let width = parse_digits(variable("COLUMNS")?.to_str()?)?;
    (width > 0).then_some(width)
}

/// Returns a variable of the environment unless it is empty.
pub(super) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Returns whether the name of a locale ends with a UTF-8 charset, locale(7).
fn is_utf8_locale(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    let (_, charset) = name.split_once('.').unwrap_or_default();
    let charset = charset.split('@').next().unwrap_or_default();
    matches!(charset, "utf-8" | "utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_names_its_charset_behind_a_dot() {
        for name in ["C.UTF-8", "de_DE.utf8", "en_US.UTF-8@euro"] {
            assert!(is_utf8_locale(OsStr::new(name)), "{name}");
        }
        for name in [
            "",
            "C",
            "POSIX",
            "de_DE",
            "de_DE.ISO-8859-1",
            "utf8",
            "x.utf8x",
        ] {
            assert!(!is_utf8_locale(OsStr::new(name)), "{name}");
        }
    }
}
