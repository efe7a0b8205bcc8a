// cov-file: absent (never compiles)
fn main() {
    app::number!();
}
