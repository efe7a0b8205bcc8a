//! A package that does not care who runs beside it.
