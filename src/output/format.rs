/// The format of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns.
    Table(Look),
    /// Words separated by single spaces, one row a line.
    Raw,
    /// One JSON object.
    Json,
}

/// The look of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Truncate commands so that lines fit into this many characters.
    pub width: Option<usize>,
    /// Draw trees with box characters instead of ASCII.
    pub unicode: bool,
    /// Show context and namespaces of the host faintly, and alarming words in
    /// colour.
    pub styles: bool,
    /// Join the texts of a cell by commas instead of showing one a line.
    pub join: bool,
}
