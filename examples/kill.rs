//! Deletes the flows of which an expression is true: `kill 'any host 10.0.0.5'`.

use ctrs::{Expression, FlowTable};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let which: Expression = std::env::args().nth(1).ok_or("usage: kill EXPRESSION")?.parse()?;
    let done = FlowTable::open()?.delete_where(&which)?;
    println!("{} deleted, {} gone before", done.deleted, done.gone);
    Ok(())
}
