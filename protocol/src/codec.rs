//! Encoding and decoding of node frames, with a cap on their size.

use prost::Message;
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::version::NodeEncoding;

/// Largest frame that either side of the node protocol accepts, in bytes: a batch of a hundred samples of a
/// large host fits, and a hostile length cannot reserve more than this.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// One frame as it goes on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A binary frame: protobuf.
    Binary(Vec<u8>),
    /// A text frame: JSON.
    Text(String),
}

/// A frame that cannot be read or written.
#[derive(Debug, Error)]
pub enum CodecError {
    /// Larger than [`FRAME_BYTES_MAX`].
    #[error("frame of {bytes} bytes is larger than the {FRAME_BYTES_MAX} allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not the protobuf that was expected.
    #[error("not a valid protobuf message: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// A value that has no JSON form.
    #[error("the message has no JSON form: {0}")]
    Json(#[from] serde_json::Error),
    /// Not the JSON that was expected; begins with the field, where it is one.
    #[error("not a valid JSON message: {0}")]
    JsonMessage(#[from] serde_path_to_error::Error<serde_json::Error>),
}

/// Encodes a message of the node protocol.
///
/// # Errors
/// When the frame would be larger than [`FRAME_BYTES_MAX`], or a value has no JSON form.
pub fn encode<M: Message + Serialize>(encoding: NodeEncoding, message: &M) -> Result<Frame, CodecError> {
    match encoding {
        NodeEncoding::Protobuf => {
            check_size(message.encoded_len())?;
            Ok(Frame::Binary(message.encode_to_vec()))
        }
        NodeEncoding::Json => {
            let text = serde_json::to_string(message)?;
            check_size(text.len())?;
            Ok(Frame::Text(text))
        }
    }
}

/// Decodes a message of the node protocol from a frame's payload.
///
/// # Errors
/// When the frame is too large or not a message of this type.
pub fn decode<M: Message + DeserializeOwned + Default>(
    encoding: NodeEncoding,
    payload: &[u8],
) -> Result<M, CodecError> {
    check_size(payload.len())?;
    match encoding {
        NodeEncoding::Protobuf => Ok(M::decode(payload)?),
        NodeEncoding::Json => {
            let mut reader = serde_json::Deserializer::from_slice(payload);
            let message = serde_path_to_error::deserialize(&mut reader)?;
            reader.end()?;
            Ok(message)
        }
    }
}

fn check_size(bytes: usize) -> Result<(), CodecError> {
    if bytes > FRAME_BYTES_MAX {
        Err(CodecError::TooLarge { bytes })
    } else {
        Ok(())
    }
}
