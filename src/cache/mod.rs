//! What one run leaves for the next, where a checkout is fresh each time: file times, and results of tests. Nothing in it is ever executed, and what is
//! damaged or foreign is as good as not there.

pub mod results;
pub mod times;
