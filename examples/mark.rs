//! Marks the flows that match, those bits that are in the mask: `mark EXPRESSION MARK MASK`.

use ctrs::{Changes, ErrorKind, Expression, FlowTable, Mark};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [which, mark, mask] = &arguments[..] else {
        return Err("usage: mark EXPRESSION MARK MASK".into());
    };
    let which: Expression = which.parse()?;
    let changes = Changes::new().mark(Mark::masked(mark.parse()?, mask.parse()?));
    let mut table = FlowTable::open()?;
    let mut marked = 0;
    let mut list = table.list_where(&which)?;
    for flow in &mut list {
        match table.update(&flow?, &changes) {
            Ok(()) => marked += 1,
            // One that has ended meanwhile needs no mark.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    println!("{marked} marked");
    if !list.is_consistent() {
        return Err("flows may have been missed: do it again".into());
    }
    Ok(())
}
