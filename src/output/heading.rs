use crate::output::Role;
use crate::query::{Align, Column, Naming};

/// The heading of a column, and how its cells are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heading<'a> {
    pub(super) name: &'a str,
    pub(super) align: Align,
    /// What ends a cell that is truncated so that lines fit; `None` if none may
    /// be.
    pub(super) cut: Option<&'static str>,
    /// The role of each comma-separated word.
    pub(super) role: fn(&str) -> Option<Role>,
    /// Whether a text is a path that others can open here, too.
    pub(super) is_path: fn(&[u8]) -> bool,
}

impl Heading<'static> {
    pub(super) const fn of(column: &Column) -> Self {
        let heading = Heading {
            align: column.align,
            cut: if column.is_cut { Some("") } else { None },
            ..Heading::text(column.name)
        };
        match column.naming {
            Naming::Other => heading,
            Naming::Kind => heading.role(Role::of_kind),
            Naming::Container => heading.role(Role::of_container),
            Naming::Path => heading.paths(|_| true),
        }
    }
}

impl<'a> Heading<'a> {
    /// Makes the heading of a column of text.
    pub(crate) const fn text(name: &'a str) -> Self {
        Heading {
            name,
            align: Align::Left,
            cut: None,
            role: |_| None,
            is_path: |_| false,
        }
    }

    /// Makes the heading of a column of numbers.
    pub(crate) const fn number(name: &'a str) -> Self {
        Heading {
            align: Align::Right(5),
            ..Heading::text(name)
        }
    }

    /// Lets cells be truncated so that lines fit.
    pub(crate) const fn cut(self) -> Self {
        self.cut_with("")
    }

    /// Lets cells be truncated, with a mark at the end of those that are.
    pub(crate) const fn cut_with(mut self, mark: &'static str) -> Self {
        self.cut = Some(mark);
        self
    }

    /// Sets the role of each comma-separated word.
    pub(crate) const fn role(mut self, role: fn(&str) -> Option<Role>) -> Self {
        self.role = role;
        self
    }

    /// Makes links of the absolute paths for which this is true.
    pub(crate) const fn paths(mut self, is_path: fn(&[u8]) -> bool) -> Self {
        self.is_path = is_path;
        self
    }
}
