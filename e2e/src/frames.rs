//! The messages in one direction of a WebSocket connection (RFC 6455, section 5.2), read beside it.

/// Longest head of the HTTP exchange; a connection without an end of it is no WebSocket.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Opcodes of data frames: continuation, text, binary. The others are control frames, which may come in between.
const DATA: [u8; 3] = [0, 1, 2];

/// Puts bytes together to messages.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: Vec<u8>,
    message: Vec<u8>,
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the empty line that ends the HTTP exchange.
    #[default]
    Head,
    Frames,
    /// This is something else.
    Deaf,
}

impl Frames {
    /// Takes the next bytes; returns the messages that are complete with them.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        if self.state == State::Deaf {
            return Vec::new();
        }
        self.buffer.extend_from_slice(bytes);
        if self.state == State::Head {
            let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
                if self.buffer.len() > HEAD_BYTES_MAX {
                    self.state = State::Deaf;
                    self.buffer = Vec::new();
                }
                return Vec::new();
            };
            self.buffer.drain(..end + 4);
            self.state = State::Frames;
        }
        let mut messages = Vec::new();
        while let Some(frame) = Frame::read(&self.buffer) {
            if DATA.contains(&frame.opcode) {
                self.message.extend(&frame.payload);
                if frame.is_last {
                    messages.push(std::mem::take(&mut self.message));
                }
            }
            self.buffer.drain(..frame.length);
        }
        messages
    }
}

struct Frame {
    opcode: u8,
    is_last: bool,
    payload: Vec<u8>,
    /// Bytes of all of it.
    length: usize,
}

impl Frame {
    /// The first frame, once all of it is there.
    fn read(bytes: &[u8]) -> Option<Self> {
        let [first, second] = *bytes.first_chunk::<2>()?;
        let (payload_length, mut at) = match second & 0x7f {
            126 => (
                usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)),
                4,
            ),
            127 => (
                usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).ok()?,
                10,
            ),
            short => (usize::from(short), 2),
        };
        let mut mask = [0; 4];
        if second & 0x80 != 0 {
            mask = *bytes.get(at..)?.first_chunk()?;
            at += 4;
        }
        let length = at.checked_add(payload_length)?;
        let payload = bytes.get(at..length)?;
        Some(Self {
            opcode: first & 0x0f,
            is_last: first & 0x80 != 0,
            payload: payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask)
                .collect(),
            length,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_put_together_however_the_bytes_come() {
        let mut stream = b"GET / HTTP/1.1\r\n\r\n".to_vec();
        // A masked text in two frames with a ping between them, then an unmasked binary of 300 bytes.
        stream.extend([0x01, 0x82, 1, 2, 3, 4, b'a' ^ 1, b'b' ^ 2]);
        stream.extend([0x89, 0x00]);
        stream.extend([0x80, 0x01, b'c']);
        stream.extend([0x82, 126, 1, 44]);
        stream.extend([7; 300]);
        for step in [1, 2, 3, 7, 1_000] {
            let mut frames = Frames::default();
            let messages: Vec<Vec<u8>> = stream.chunks(step).flat_map(|bytes| frames.feed(bytes)).collect();
            assert_eq!(messages, [b"abc".to_vec(), vec![7; 300]], "in pieces of {step}");
        }
    }

    #[test]
    fn what_is_no_websocket_is_not_kept() {
        let mut frames = Frames::default();
        for _ in 0..200 {
            assert!(frames.feed(&[0; 1_024]).is_empty());
        }
        assert!(frames.buffer.is_empty());
    }
}
