//! Keys and digests in files and in answers to clients: hexadecimal text.

use commonware_codec::{DecodeExt, Encode};
use commonware_formatting::{from_hex, hex};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{borrow::Cow, fmt, str::FromStr};

/// A value whose text is its encoding in hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hexed<T>(pub T);

impl<T: Encode> fmt::Display for Hexed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0.encode()))
    }
}

impl<T: DecodeExt<()>> FromStr for Hexed<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = from_hex(text).ok_or_else(|| format!("{text:?} is not hexadecimal"))?;
        let value = T::decode(bytes::Bytes::from(bytes));
        Ok(Self(value.map_err(|error| format!("{text:?}: {error}"))?))
    }
}

impl<T: Encode> Serialize for Hexed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T: DecodeExt<()>> Deserialize<'de> for Hexed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}
