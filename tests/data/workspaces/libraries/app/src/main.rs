//! Loads what it is told to, as a host of plugins does.

fn main() { // cov: 1
    #[cfg(unix)]
    {
        let path = std::env::args_os().nth(1).unwrap(); // cov: 1
        println!("{}", app::call(path.as_ref(), "plugin_add", 11)); // cov: 1
    }
} // cov: 1
