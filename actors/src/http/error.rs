//! What a client is told that cannot have what it asks for.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;

/// What went wrong, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request is malformed.
    Malformed,
    /// The transaction is invalid.
    Invalid,
    /// It is not here.
    NotFound,
    /// The method means nothing there.
    NotAllowed,
    /// The request is too large.
    TooLarge,
    /// There are too many requests, or this node is not in step with the chain.
    Busy,
    /// This node takes no transactions.
    Closed,
    /// It took too long.
    TimedOut,
    /// The node is failing.
    Failed,
}

/// An error as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In one word.
    pub code: Code,
    /// What is wrong, and what would be right.
    pub message: String,
    /// When to try again.
    pub retry_after_ms: Option<u64>,
}

impl Fault {
    /// An error that a repetition does not help.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after_ms: None,
        }
    }

    /// Not now.
    pub fn busy(message: impl Into<String>, retry_after_ms: u64) -> Self {
        Self {
            retry_after_ms: Some(retry_after_ms),
            ..Self::new(Code::Busy, message)
        }
    }

    const fn status(&self) -> StatusCode {
        match self.code {
            Code::Malformed | Code::Invalid => StatusCode::BAD_REQUEST,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::NotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Code::Closed => StatusCode::FORBIDDEN,
            Code::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Code::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = json!({ "error": {
            "code": self.code,
            "message": self.message,
            "retry_after_ms": self.retry_after_ms,
        }});
        let mut response = (status, Json(body)).into_response();
        if let Some(ms) = self.retry_after_ms {
            // The header counts in seconds.
            let seconds = HeaderValue::from(ms.div_ceil(1_000).max(1));
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}
