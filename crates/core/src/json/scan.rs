//! Scans, validates and cuts text that arrives in pieces.
