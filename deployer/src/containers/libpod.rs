//! Podman's own API, for what the compatible one lacks: registries without TLS, and what came of a push.

use base64::Engine as _;
use http::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{engine::Engine, error::EngineError};

/// The oldest version of the API whose answers we read; every newer Podman still speaks it.
const VERSION: &str = "v4.0.0";

/// Who one is at a registry.
#[derive(Clone)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// The password, or a token in its place.
    pub password: secrecy::SecretString,
}

/// A registry to pull from or push to, and how.
#[derive(Clone, Default)]
pub struct RegistryAccess {
    /// Plain HTTP, or a certificate that nobody vouches for.
    pub insecure: bool,
    /// Who one is there; nobody without.
    pub credentials: Option<Credentials>,
}

impl RegistryAccess {
    /// In the form of the compatible API.
    pub(super) fn docker(&self) -> Option<bollard::auth::DockerCredentials> {
        use secrecy::ExposeSecret as _;
        let credentials = self.credentials.as_ref()?;
        Some(bollard::auth::DockerCredentials {
            username: Some(credentials.user.clone()),
            password: Some(credentials.password.expose_secret().to_owned()),
            ..bollard::auth::DockerCredentials::default()
        })
    }

    /// The header `X-Registry-Auth`: it is seen by the engine alone, and is neither kept nor logged.
    fn header(&self) -> Option<HeaderValue> {
        use secrecy::ExposeSecret as _;
        let credentials = self.credentials.as_ref()?;
        let text = json!({ "username": credentials.user, "password": credentials.password.expose_secret() });
        let text = base64::engine::general_purpose::URL_SAFE.encode(text.to_string());
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl Engine {
    /// Has a Podman pull an image by a name that says where from. `say` hears what it does.
    ///
    /// # Errors
    ///
    /// When the registry does not have it or cannot be reached.
    pub async fn pull_from(
        &self,
        reference: &str,
        access: &RegistryAccess,
        say: impl Fn(&str),
    ) -> Result<(), EngineError> {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("reference", reference)
            .append_pair("policy", "always")
            .append_pair("tlsVerify", if access.insecure { "false" } else { "true" })
            .finish();
        let action = format!("pull image {reference}");
        self.libpod(&format!("images/pull?{query}"), access, &action, say)
            .await
    }

    /// Has a Podman push an image under another name, which says where to.
    ///
    /// # Errors
    ///
    /// When the registry refuses it or cannot be reached.
    pub async fn push_to(
        &self,
        image: &str,
        destination: &str,
        access: &RegistryAccess,
        say: impl Fn(&str),
    ) -> Result<(), EngineError> {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("destination", destination)
            .append_pair("tlsVerify", if access.insecure { "false" } else { "true" })
            .finish();
        let image: String = form_urlencoded::byte_serialize(image.as_bytes()).collect();
        let action = format!("push image {destination}");
        self.libpod(&format!("images/{image}/push?{query}"), access, &action, say)
            .await
    }

    async fn libpod(
        &self,
        path: &str,
        access: &RegistryAccess,
        action: &str,
        say: impl Fn(&str),
    ) -> Result<(), EngineError> {
        let place = self.place().to_owned();
        let unreached = |source: Box<dyn std::error::Error + Send + Sync>| EngineError::Unreached {
            place: place.clone(),
            action: action.to_owned(),
            source,
        };
        let headers: HeaderMap = access
            .header()
            .map(|header| (HeaderName::from_static("x-registry-auth"), header))
            .into_iter()
            .collect();
        let path = format!("/{VERSION}/libpod/{path}");
        let answer = self
            .asker()
            .post(&path, headers)
            .await
            .map_err(|error| unreached(error.into()))?;
        let status = answer.status();
        let refused = |message: &str| EngineError::Refused {
            place: place.clone(),
            action: action.to_owned(),
            status: status.as_u16(),
            message: message.trim().to_owned(),
        };
        let mut body = answer.into_body();
        let mut lines = Lines::default();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| unreached(error.into()))?;
            for line in frame.data_ref().map(|data| lines.add(data)).unwrap_or_default() {
                said(&line, &say).map_err(|message| refused(&message))?;
            }
        }
        said(&lines.rest, &say).map_err(|message| refused(&message))?;
        if status.is_success() {
            Ok(())
        } else {
            Err(refused("no reason is given"))
        }
    }
}

/// What a line of the answer says: to the listener, or that it went wrong.
fn said(line: &[u8], say: &impl Fn(&str)) -> Result<(), String> {
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        return Ok(());
    };
    // `error` in a stream, `cause` and `message` in an answer that is an error as a whole.
    for key in ["error", "message"] {
        if let Some(message) = value
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
        {
            return Err(message.to_owned());
        }
    }
    if let Some(text) = value.get("stream").and_then(Value::as_str) {
        text.lines().filter(|line| !line.trim().is_empty()).for_each(say);
    }
    Ok(())
}

/// Bytes that come in pieces, line by line.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn add(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.rest.extend_from_slice(bytes);
        let mut lines: Vec<Vec<u8>> = self
            .rest
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        self.rest = lines.pop().unwrap_or_default();
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_they_come() {
        let mut lines = Lines::default();
        assert!(lines.add(b"{\"stream\":").is_empty());
        assert_eq!(
            lines.add(b"\"x\"}\n{}\n{"),
            [b"{\"stream\":\"x\"}".to_vec(), b"{}".to_vec()]
        );
        assert_eq!(lines.rest, b"{");
    }

    #[test]
    fn an_error_in_the_middle_of_an_answer_is_an_error() {
        let quiet = |_: &str| {};
        assert!(said(br#"{"stream":"Copying blob"}"#, &quiet).is_ok());
        assert_eq!(
            said(br#"{"error":"no space"}"#, &quiet),
            Err("no space".to_owned())
        );
        assert_eq!(
            said(br#"{"cause":"x","message":"denied","response":500}"#, &quiet),
            Err("denied".to_owned())
        );
    }
}
