//! Tells the linker how a Node-API addon is made.

fn main() {
    napi_build::setup();
}
