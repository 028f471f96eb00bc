//! How a frame in JSON is read: an object with one member, whose name says what it is.

/// Reads a frame: a member that this build knows must be right in every field, one that it does not know is
/// skipped, and so is `null`. (serde's own `flatten` over an `Option` takes a wrong field for an unknown message.)
macro_rules! one_of {
    ($message:ident, $body:ident { $($name:literal => $variant:ident),+ }) => {
        impl<'de> serde::Deserialize<'de> for $message {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Members;
                impl<'de> serde::de::Visitor<'de> for Members {
                    type Value = $message;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        formatter.write_str("an object with one member, the message")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<$message, A::Error> {
                        let mut body = None;
                        while let Some(name) = members.next_key::<String>()? {
                            match name.as_str() {
                                $($name => {
                                    if let Some(known) = members.next_value::<Option<$variant>>()? {
                                        body = Some($body::$variant(known));
                                    }
                                })+
                                _ => {
                                    members.next_value::<serde::de::IgnoredAny>()?;
                                }
                            }
                        }
                        Ok($message { body })
                    }
                }
                deserializer.deserialize_map(Members)
            }
        }
    };
}

pub(crate) use one_of;
