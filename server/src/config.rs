//! Configuration, read once: flags over variables over a file over defaults. The only place that reads the environment.
