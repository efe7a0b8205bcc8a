//! Coverage for people and services: tables, annotated source, and the formats that other tools read. Pure writers from one
//! model; no environment, no clock, no file names of their own.

pub mod cobertura;
pub mod codecov;
pub mod name;
pub mod table;
pub mod text;
