// cov-file: excluded (a test target)

#[test]
fn leaves_a_profile() {
    assert_eq!(no_profile::counted(), 1);
}
