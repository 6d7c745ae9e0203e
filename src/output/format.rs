use crate::output::Palette;

/// The format of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns.
    Table(Look),
    /// Words separated by single spaces, one row a line.
    Raw,
    /// JSON.
    Json(JsonLayout),
}

impl Format {
    /// Returns whether it is JSON, in any layout.
    pub const fn is_json(self) -> bool {
        matches!(self, Format::Json(_))
    }
}

/// How JSON is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JsonLayout {
    /// One object, indented.
    #[default]
    Pretty,
    /// One object on one line, without white space.
    Compact,
    /// One object a line for each row, and last one with everything else.
    Lines,
}

/// The look of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Truncate commands so that lines fit into this many characters.
    pub width: Option<usize>,
    /// Draw trees with box characters instead of ASCII.
    pub unicode: bool,
    /// How what stands out looks, if it is to look different.
    pub palette: Option<&'static Palette>,
    /// Say by a sign what else only a look would.
    pub signs: bool,
    /// Make links of paths.
    pub links: bool,
    /// Join the texts of a cell by commas instead of showing one a line.
    pub join: bool,
}
