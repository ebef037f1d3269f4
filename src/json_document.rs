//! stub
use keelson_core::json::document::Document;
use std::sync::Arc;
pub(crate) fn document_object(
    env: napi::sys::napi_env,
    _id: u32,
    doc: Arc<Document>,
) -> crate::error::Result<napi::sys::napi_value> {
    let _ = crate::raw::Instance::new(env, doc)?;
    Ok(std::ptr::null_mut())
}
