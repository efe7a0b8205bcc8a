//! What changed since an earlier commit, as git tells it. Knows neither coverage nor messages for people, and never writes to a
//! repository.

pub mod diff;
pub mod repository;
