//! The console: its files, the ways to sign in, and what a session may do.

mod browser;
mod links;
mod pages;
mod playground;
mod providers;
mod sessions;

use browser::Browser;
