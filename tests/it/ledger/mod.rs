//! One record per request, kept whatever happens.

mod crash;
mod pages;
mod records;
