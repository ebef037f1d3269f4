//! Prepares the link of a Node-API addon, and hands it the version that package.json states.

use std::{fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=package.json");
    println!("cargo:rustc-env=KEELSON_VERSION={}", package_version()?);
    napi_build::setup();
    Ok(())
}

/// The first `"version": "…"` of package.json. npm writes one member a line, so that no JSON parser is needed.
fn package_version() -> io::Result<String> {
    let manifest = fs::read_to_string("package.json")?;
    let version = manifest.lines().find_map(|line| line.trim().strip_prefix("\"version\": \"")?.split('"').next());
    version.map(str::to_owned).ok_or_else(|| io::Error::other("package.json states no version"))
}
