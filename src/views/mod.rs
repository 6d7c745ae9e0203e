//! The subcommands that show something: each is a question of its own to one
//! scan, and a few columns of its own.

pub(crate) mod compare;
pub(crate) mod containers;
pub(crate) mod holders;
pub(crate) mod limits;
mod lookup;
pub(crate) mod translate;

use crate::app::Console;
use crate::cli::ViewArgs;
use crate::output::{Format, Look};

pub(crate) use lookup::find_container;

/// The format of a subcommand.
fn view_format(args: &ViewArgs, console: &Console<'_>) -> Format {
    match (args.json, args.raw) {
        (true, _) => Format::Json,
        (false, true) => Format::Raw,
        (false, false) => Format::Table(Look {
            width: console.width.filter(|_| !args.notruncate),
            styles: console.styles && console.width.is_some(),
            ..Look::default()
        }),
    }
}
