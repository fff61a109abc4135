//! The shop over HTTP: what all answers have in common, files, pages, and how the process starts.

mod basics;
mod edge;
mod feed;
mod files;
mod hosts;
mod pages;
mod start;
