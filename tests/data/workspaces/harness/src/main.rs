//! Does what its first argument says.

use std::io::{Read, Write};

fn main() { // cov: 1
    let mut arguments = std::env::args().skip(1); // cov: 1
    let task = arguments.next().unwrap_or_default(); // cov: 1
    let argument = arguments.next().unwrap_or_default(); // cov: 1
    match task.as_str() { // cov: 1
        "greet" => println!("{}", harness::greet(&argument)), // cov: 1
        "echo" => echo(), // cov: 0
        "exit" => std::process::exit(argument.parse().unwrap()), // cov: 0
        "wait" => wait(), // cov: 0
        "where" => println!("{}", std::env::current_dir().unwrap().display()), // cov: 0
        _ => panic!("no task `{task}`"), // cov: 0
    }
} // cov: 1

fn echo() { // cov: 0
    let mut text = String::new(); // cov: 0
    std::io::stdin().read_to_string(&mut text).unwrap(); // cov: 0
    print!("{text}"); // cov: 0
} // cov: 0

/// Until somebody ends it, who is told what to end.
fn wait() -> ! { // cov: 0
    println!("ready {}", std::process::id()); // cov: 0
    std::io::stdout().flush().unwrap(); // cov: 0
    loop {
        std::thread::sleep(std::time::Duration::from_millis(10)); // cov: 0
    }
}
