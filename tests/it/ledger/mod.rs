//! One record per request, kept whatever happens.

mod crash;
mod full;
mod pages;
mod records;
mod summary;
