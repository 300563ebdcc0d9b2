//! Prints the expectations of helpers, and which flow expects them: `expectations`.

use ctrs::Expectations;

fn main() -> Result<(), ctrs::Error> {
    for expectation in Expectations::open()?.list()? {
        let expectation = expectation?;
        if let (Some(expected), Some(master)) = (expectation.expected(), expectation.master()) {
            let helper = expectation.helper().unwrap_or_default();
            println!("{expected}, expected by {helper} of {master}");
        }
    }
    Ok(())
}
