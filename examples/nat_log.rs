//! Logs who had which public address and port from when to when: `nat_log`. Times are seconds since 1970.

use ctrs::{Error, Flow, Happened, Mirror, Options};
use std::time::{SystemTime, UNIX_EPOCH};

fn print(when: Option<SystemTime>, sign: &str, flow: Option<Flow>) {
    let when = when.unwrap_or_else(SystemTime::now).duration_since(UNIX_EPOCH).unwrap_or_default();
    let ends = flow.as_ref().and_then(|flow| Some((flow.tuple()?, flow.reply()?)));
    let (Some(flow), Some((sent, reply))) = (flow, ends) else { return };
    let port = |port: Option<u16>| port.unwrap_or(0);
    println!(
        "{} {sign} protocol {} {} {} is {} {} to {} {} zone {} id {}",
        when.as_secs(),
        u8::from(sent.protocol()),
        sent.source(),
        port(sent.source_port()),
        reply.destination(),
        port(reply.destination_port()),
        reply.source(),
        port(reply.source_port()),
        flow.zone().number(),
        flow.id().map_or_else(String::new, |id| id.to_string()),
    );
}

fn main() -> Result<(), Error> {
    let mut mirror = Mirror::open_where(&Options::new(), &"snat".parse()?)?;
    loop {
        let change = mirror.next_change()?;
        let found_out = if change.synthesised { "~" } else { "" };
        match change.happened {
            Happened::New | Happened::Entered => {
                print(change.when, &format!("+{found_out}"), change.after);
            }
            Happened::Destroyed | Happened::Left => {
                print(change.when, &format!("-{found_out}"), change.before);
            }
            Happened::Overrun(lost) => println!("? {lost} events were lost"),
            Happened::Settled => println!("= what is there is above"),
            _ => {}
        }
    }
}
