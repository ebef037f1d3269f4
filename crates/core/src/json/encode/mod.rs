//! Encodes groups of values into streams that generated JavaScript decodes.
