//! Input of any origin: the fuzz targets of `tests/fuzz` on seeds and on what fuzzing has found, damaged files in the whole
//! pipeline, and properties of the models that hold for all maps and profiles.

mod damage;
mod properties;
mod replay;
mod seeds;
#[path = "../fuzz/targets/mod.rs"]
#[expect(unreachable_pub, reason = "in the fuzz crate it is the library")]
mod targets;
