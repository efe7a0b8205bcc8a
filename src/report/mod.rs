//! Coverage for people and services: tables, annotated source, and the formats that other tools read. Pure writers from one
//! model; no environment, no clock, no file names of their own.

pub mod annotations;
pub mod badge;
pub mod baseline;
pub mod cobertura;
pub mod codecov;
pub mod functions;
mod grade;
pub mod markdown;
pub mod name;
pub mod patch;
#[cfg(test)]
mod sample;
pub mod table;
#[cfg(test)]
mod tests;
pub mod text;
