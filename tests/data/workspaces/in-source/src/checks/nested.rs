//! Test code, since what declares it is. // cov-file: excluded

pub(super) fn three() -> u32 {
    3
}
