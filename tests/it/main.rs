//! it

mod records;
