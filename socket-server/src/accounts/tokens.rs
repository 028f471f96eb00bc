//! Access tokens: JWT by HS256 and nothing else, with every claim checked that says whom and what they are for
//! (RFC 8725).

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::{AccountsError, SigningKey, secrets::random_id};
use crate::store::AccountId;

const ISSUER: &str = "metric-flow";
const AUDIENCE: &str = "metric-flow-dashboard";
/// RFC 9068's type for access tokens, so that no other token of ours can stand in.
const TYPE: &str = "at+jwt";

/// Whom a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: AccountId,
    /// The log-in: ends with log-out.
    pub session_family: String,
    /// When the log-in ends if it is not used, milliseconds since 1970-01-01 UTC.
    pub session_expires_unix_ms: i64,
    /// When the token was made, milliseconds since 1970-01-01 UTC.
    pub issued_unix_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: String,
    /// The family of the log-in.
    sid: String,
    session_expires_unix_ms: i64,
    issued_unix_ms: i64,
}

/// Makes and checks access tokens.
pub(super) struct AccessTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    life_ms: i64,
}

impl AccessTokens {
    pub(super) fn new(key: &SigningKey, life: std::time::Duration) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        // Issuer and checker are one program with one clock.
        validation.leeway = 0;
        Self {
            encoding: EncodingKey::from_secret(key.bytes()),
            decoding: DecodingKey::from_secret(key.bytes()),
            validation,
            life_ms: i64::try_from(life.as_millis()).unwrap_or(i64::MAX),
        }
    }

    /// Makes a token.
    ///
    /// # Errors
    /// When the library cannot sign.
    pub(super) fn issue(&self, identity: &Identity) -> Result<String, AccountsError> {
        let issued = identity.issued_unix_ms;
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: identity.account.0.clone(),
            exp: issued.saturating_add(self.life_ms) / 1_000,
            nbf: issued / 1_000,
            iat: issued / 1_000,
            jti: random_id(),
            sid: identity.session_family.clone(),
            session_expires_unix_ms: identity.session_expires_unix_ms,
            issued_unix_ms: issued,
        };
        let header = Header {
            typ: Some(TYPE.to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        jsonwebtoken::encode(&header, &claims, &self.encoding)
            .map_err(|error| AccountsError::Internal(format!("cannot sign a token: {error}")))
    }

    /// Checks a token.
    ///
    /// # Errors
    /// `Unauthenticated`, without a reason that would help a forger.
    pub(super) fn check(&self, token: &str) -> Result<Identity, AccountsError> {
        let data = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| AccountsError::Unauthenticated)?;
        if data.header.typ.as_deref() != Some(TYPE) || data.claims.jti.is_empty() {
            return Err(AccountsError::Unauthenticated);
        }
        Ok(Identity {
            account: AccountId(data.claims.sub),
            session_family: data.claims.sid,
            session_expires_unix_ms: data.claims.session_expires_unix_ms,
            issued_unix_ms: data.claims.issued_unix_ms,
        })
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::now_unix_ms;

    fn tokens() -> (SigningKey, AccessTokens) {
        let key = SigningKey::random();
        let tokens = AccessTokens::new(&key, Duration::from_secs(900));
        (key, tokens)
    }

    fn identity(issued_unix_ms: i64) -> Identity {
        Identity {
            account: AccountId("a".into()),
            session_family: "f".into(),
            session_expires_unix_ms: i64::MAX,
            issued_unix_ms,
        }
    }

    #[test]
    fn a_token_speaks_for_whom_it_was_made() {
        let (_, tokens) = tokens();
        let identity = identity(now_unix_ms());
        let token = tokens.issue(&identity).expect("signed");
        assert_eq!(tokens.check(&token).expect("valid"), identity);
    }

    #[test]
    fn an_expired_or_premature_token_is_refused() {
        let (_, tokens) = tokens();
        for issued in [now_unix_ms() - 1_000_000, now_unix_ms() + 1_000_000] {
            let token = tokens.issue(&identity(issued)).expect("signed");
            assert!(matches!(
                tokens.check(&token),
                Err(AccountsError::Unauthenticated)
            ));
        }
    }

    #[test]
    fn another_type_audience_issuer_algorithm_or_key_is_refused() {
        let (key, tokens) = tokens();
        let good = Header {
            typ: Some(TYPE.to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        let wrong_type = Header {
            typ: Some("JWT".to_owned()),
            ..good.clone()
        };
        let wrong_algorithm = Header {
            typ: Some(TYPE.to_owned()),
            ..Header::new(Algorithm::HS512)
        };
        let now = now_unix_ms() / 1_000;
        let claims = |iss: &str, aud: &str| {
            serde_json::json!({ "iss": iss, "aud": aud, "sub": "a", "exp": now + 60, "nbf": now, "iat": now,
                "jti": "j", "sid": "f", "session_expires_unix_ms": 0, "issued_unix_ms": 0 })
        };
        let ours = EncodingKey::from_secret(key.bytes());
        let theirs = EncodingKey::from_secret(b"another secret of thirty-two bytes");
        let fine = claims(ISSUER, AUDIENCE);
        let sign = |header, claims, key| jsonwebtoken::encode(header, claims, key).expect("signed");
        assert!(tokens.check(&sign(&good, &fine, &ours)).is_ok());
        for token in [
            sign(&wrong_type, &fine, &ours),
            sign(&wrong_algorithm, &fine, &ours),
            sign(&good, &fine, &theirs),
            sign(&good, &claims("other", AUDIENCE), &ours),
            sign(&good, &claims(ISSUER, "other"), &ours),
        ] {
            assert!(tokens.check(&token).is_err());
        }
    }
}
