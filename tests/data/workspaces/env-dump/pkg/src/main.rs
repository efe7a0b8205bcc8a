//! Started by the integration test.

fn main() {
    env_dump::write("bin");
}

#[cfg(test)]
mod tests {
    #[test]
    fn bin_unit() {
        env_dump::write("bin-unit");
    }
}
