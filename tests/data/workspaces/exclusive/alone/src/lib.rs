//! A package whose tests bear nobody beside them.
