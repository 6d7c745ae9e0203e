//! What stands out on a terminal, and how it looks.

use std::borrow::Cow;

use crate::model::{Kind, Member, named};
use crate::query::nearest;

named! {
    /// What a word or a row is, if that decides how it looks. Its name is its key
    /// in `NSLS_COLORS`.
    pub enum Role {
        /// A mount namespace.
        Mnt = "mnt",
        /// A net namespace.
        Net = "net",
        /// An ipc namespace.
        Ipc = "ipc",
        /// A user namespace.
        User = "user",
        /// A pid namespace.
        Pid = "pid",
        /// A uts namespace.
        Uts = "uts",
        /// A cgroup namespace.
        Cgroup = "cgroup",
        /// A time namespace.
        Time = "time",
        /// The names of the columns.
        Heading = "heading",
        /// The name of a container.
        Container = "container",
        /// A row about a namespace of the host, among those of one process.
        Host = "host",
        /// A row that only completes a tree.
        Context = "context",
        /// The lines of a tree.
        Tree = "tree",
        /// What is probably wrong: leaked, shared with the host, nearly used up.
        Alarm = "alarm",
        /// What appeared.
        Added = "added",
        /// What ended.
        Removed = "removed",
        /// What changed, or lost its last process.
        Changed = "changed",
        /// A namespace that a process entered.
        Entered = "entered",
    }
}

impl From<Kind> for Role {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Mnt => Role::Mnt,
            Kind::Net => Role::Net,
            Kind::Ipc => Role::Ipc,
            Kind::User => Role::User,
            Kind::Pid => Role::Pid,
            Kind::Uts => Role::Uts,
            Kind::Cgroup => Role::Cgroup,
            Kind::Time => Role::Time,
        }
    }
}

impl Role {
    /// Returns the role of a word that is the name of a type.
    pub(crate) fn of_kind(word: &str) -> Option<Role> {
        word.parse().ok().map(Kind::into)
    }

    /// Returns the role of the name of a container.
    pub(crate) const fn of_container(_: &str) -> Option<Role> {
        Some(Role::Container)
    }

    /// Returns its default look. Hues are of the 256 colours, which no theme
    /// changes: eight that can be told apart, and from red, are not among the 16,
    /// where blue is unreadable on many dark backgrounds and yellow on light ones.
    /// Before each stands one of the 16, for programs that ignore the others, such
    /// as watch(1) before procps 4.0.3.
    const fn default_look(self) -> &'static str {
        match self {
            Role::Mnt | Role::Changed => "33;38;5;136",
            Role::Net | Role::Entered => "94;38;5;32",
            Role::Ipc => "32;38;5;64",
            Role::User => "95;38;5;169",
            Role::Pid => "35;38;5;134",
            Role::Uts => "36;38;5;30",
            Role::Cgroup => "34;38;5;63",
            Role::Time => "90;38;5;102",
            Role::Heading => "1",
            Role::Container => "1;32;38;5;29",
            Role::Host | Role::Context | Role::Tree => "2",
            Role::Alarm => "1;31;38;5;196",
            Role::Added => "32;38;5;28",
            Role::Removed => "31;38;5;196",
        }
    }
}

/// The look of every role, as parameters of SGR, ECMA-48.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Palette {
    looks: Vec<Cow<'static, str>>,
}

impl Default for Palette {
    fn default() -> Self {
        let looks = Role::ALL.iter().map(|role| role.default_look().into());
        Palette {
            looks: looks.collect(),
        }
    }
}

/// Why an entry of `NSLS_COLORS` was ignored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ignored '{entry}' in NSLS_COLORS: {why}")]
pub struct BadEntry {
    entry: String,
    why: String,
}

impl Palette {
    /// Changes it by a list such as `net=1;36:heading=4`, in which `reset` clears
    /// all before it and `net=` one.
    ///
    /// # Errors
    ///
    /// Returns the first entry that is malformed. The others apply even so.
    pub fn change(&mut self, list: &str) -> Result<(), BadEntry> {
        let mut result = Ok(());
        for entry in list.split(':').filter(|entry| !entry.is_empty()) {
            if let Err(why) = self.apply(entry) {
                let entry = entry.to_owned();
                result = result.and(Err(BadEntry { entry, why }));
            }
        }
        result
    }

    fn apply(&mut self, entry: &str) -> Result<(), String> {
        if entry == "reset" {
            self.looks.fill("".into());
            return Ok(());
        }
        let (key, look) = entry.split_once('=').ok_or("it is not KEY=SGR")?;
        let Ok(role) = key.parse::<Role>() else {
            let names = Role::ALL.iter().map(|role| role.name());
            return Err(match nearest(key, names) {
                Some(name) => format!("unknown key, nearest is {name}"),
                None => "unknown key".to_owned(),
            });
        };
        // Nothing else may reach the terminal.
        if !look
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b';')
        {
            return Err("a look is numbers separated by semicolons, such as 1;36".to_owned());
        }
        if let Some(known) = self.looks.get_mut(role.index()) {
            *known = look.to_owned().into();
        }
        Ok(())
    }

    /// Returns the look of a role; empty for none.
    pub fn look(&self, role: Role) -> &str {
        self.looks.get(role.index()).map_or("", |look| look)
    }

    /// Returns text in the look of a role.
    pub(crate) fn paint(&self, role: Role, text: &str) -> String {
        let mut pen = Pen::new(Some(self));
        pen.write(Some(role), text);
        pen.finish()
    }
}

/// Text in several looks, with as few escapes as there can be.
pub(super) struct Pen<'a> {
    palette: Option<&'a Palette>,
    /// The look of what follows.
    look: &'a str,
    text: String,
}

impl<'a> Pen<'a> {
    /// Begins an empty text; without a palette, everything looks the same.
    pub(super) const fn new(palette: Option<&'a Palette>) -> Self {
        Pen {
            palette,
            look: "",
            text: String::new(),
        }
    }

    /// Adds text in the look of a role.
    pub(super) fn write(&mut self, role: Option<Role>, text: &str) {
        if text.is_empty() {
            return;
        }
        let look = match (self.palette, role) {
            (Some(palette), Some(role)) => palette.look(role),
            _ => "",
        };
        self.turn(look);
        self.text.push_str(text);
    }

    /// Adds what is not text, such as the begin of a link.
    pub(super) fn escape(&mut self, sequence: &str) {
        self.text.push_str(sequence);
    }

    /// Ends the text.
    pub(super) fn finish(mut self) -> String {
        self.turn("");
        self.text
    }

    fn turn(&mut self, look: &'a str) {
        if look == self.look {
            return;
        }
        if !self.look.is_empty() {
            self.text.push_str("\x1b[0m");
        }
        if !look.is_empty() {
            self.text.extend(["\x1b[", look, "m"]);
        }
        self.look = look;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn changed(list: &str) -> (Palette, Result<(), String>) {
        let mut palette = Palette::default();
        let result = palette.change(list);
        (palette, result.map_err(|error| error.to_string()))
    }

    #[test]
    fn looks_are_changed_by_key_and_the_last_one_counts() {
        let (palette, result) = changed("net=1;36::heading=4:net=38;2;1;2;3");
        assert_eq!(result, Ok(()));
        assert_eq!(
            palette.paint(Role::Net, "net"),
            "\x1b[38;2;1;2;3mnet\x1b[0m"
        );
        assert_eq!(palette.paint(Role::Heading, "NS"), "\x1b[4mNS\x1b[0m");
        assert_eq!(palette.look(Role::Uts), Palette::default().look(Role::Uts));
    }

    #[test]
    fn an_empty_look_and_a_reset_leave_words_as_they_are() {
        let (palette, _) = changed("net=");
        assert_eq!(palette.paint(Role::Net, "net"), "net");
        let (palette, result) = changed("net=1:reset:uts=4");
        assert_eq!(result, Ok(()));
        let looks: String = Role::ALL.iter().map(|role| palette.look(*role)).collect();
        assert_eq!(looks, "4");
    }

    #[test]
    fn the_first_malformed_entry_is_reported_and_the_others_apply() {
        let look = "a look is numbers separated by semicolons, such as 1;36";
        for (entry, why) in [
            ("nte=36", "unknown key, nearest is net"),
            ("=36", "unknown key"),
            ("directory=36", "unknown key"),
            ("net", "it is not KEY=SGR"),
            ("net=blue", look),
            ("net=1;36m", look),
            ("net=\x1b]0;title\x07", look),
        ] {
            let (palette, result) = changed(&format!("{entry}:foo:uts=4"));
            let expected = format!("ignored '{entry}' in NSLS_COLORS: {why}");
            assert_eq!(result, Err(expected));
            let (valid, _) = changed("uts=4");
            assert_eq!(palette, valid);
        }
    }

    #[test]
    fn words_of_one_look_share_their_escapes() {
        let palette = Palette::default();
        let mut pen = Pen::new(Some(&palette));
        for (role, text) in [
            (Some(Role::Host), "a"),
            (Some(Role::Host), " "),
            (Some(Role::Context), "b"),
            (Some(Role::Heading), ""),
            (None, "c"),
            (Some(Role::Heading), "d"),
        ] {
            pen.write(role, text);
        }
        assert_eq!(pen.finish(), "\x1b[2ma b\x1b[0mc\x1b[1md\x1b[0m");
    }

    /// Returns the relative luminance of one of the 256 colours, WCAG 2.
    fn luminance(rgb: [u8; 3]) -> f64 {
        let [red, green, blue] = rgb.map(|part| {
            let part = f64::from(part) / 255.0;
            match part {
                0.0..0.03928 => part / 12.92,
                _ => ((part + 0.055) / 1.055).powf(2.4),
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn hue(role: Role) -> Option<u8> {
        let (_, number) = role.default_look().rsplit_once("38;5;")?;
        number.parse().ok()
    }

    #[test]
    fn every_hue_can_be_read_on_dark_and_light_backgrounds() {
        let levels = [0, 95, 135, 175, 215, 255];
        for number in Role::ALL.iter().filter_map(|role| hue(*role)) {
            let place = usize::from(number - 16);
            let rgb = [place / 36, place / 6 % 6, place % 6].map(|level| levels[level]);
            for background in [
                [0, 0, 0],
                [0x1e, 0x1e, 0x1e],
                [0, 0x2b, 0x36],
                [255, 255, 255],
                [0xfd, 0xf6, 0xe3],
            ] {
                let (one, other) = (luminance(rgb), luminance(background));
                let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
                assert!(contrast >= 3.0, "{number} on {background:?}: {contrast}");
            }
        }
    }

    #[test]
    fn every_type_has_a_hue_of_its_own_which_is_not_that_of_an_alarm() {
        let kinds = Kind::ALL.iter().map(|kind| Role::from(*kind));
        let hues: Vec<_> = kinds
            .chain([Role::Alarm])
            .map(|role| hue(role).unwrap())
            .collect();
        let different: HashSet<_> = hues.iter().collect();
        assert_eq!(different.len(), hues.len());
    }

    #[test]
    fn a_type_and_its_role_have_the_same_name() {
        for kind in Kind::ALL {
            assert_eq!(Role::from(*kind).name(), kind.name());
            assert_eq!(Role::of_kind(kind.name()), Some(Role::from(*kind)));
        }
        assert_eq!(Role::of_kind("heading"), None);
    }
}
