//! Text between UTF-16, UTF-8 and WTF-8.
