//! Lists flows as JSON, one object a line, all or those that match: `list_json [EXPRESSION]`.

use ctrs::{Expression, FlowTable};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let which = Expression::parse(std::env::args().nth(1).as_deref().unwrap_or("all"))?;
    let mut list = FlowTable::open()?.list_where(&which)?;
    for flow in &mut list {
        println!("{}", flow?.json());
    }
    if !list.is_consistent() {
        return Err("flows may be missing, or be there twice: list them again".into());
    }
    Ok(())
}
