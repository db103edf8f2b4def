//! What a key can hold, and how it is written.

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use secrecy::SecretString;

use crate::{base_url::BaseUrl, environment::Environment};

/// A type that a key can hold.
pub trait Value: Sized {
    /// Reads the value; the error says what was expected and never shows the value.
    ///
    /// # Errors
    /// What was expected.
    fn read(value: &toml::Value, environment: &Environment) -> Result<Self, String>;

    /// Stands in for a value that is missing or wrong while the remaining keys are checked; never used, because
    /// [`super::Reader::finish`] refuses.
    fn placeholder() -> Self;

    /// The files that such a value is read from, or names for somebody to read.
    fn files(value: &toml::Value, environment: &Environment) -> Vec<PathBuf> {
        let _ = (value, environment);
        Vec::new()
    }

    /// How a value of this type is shown to whoever may see the settings. A type that does not say so is a secret and
    /// is never shown.
    #[must_use]
    fn shown_as() -> Option<fn(&Self) -> toml::Value> {
        None
    }
}

impl Value for String {
    fn read(value: &toml::Value, _: &Environment) -> Result<Self, String> {
        let text = value.as_str().ok_or("expected a string")?;
        if text.contains('\0') { Err("holds a NUL character".into()) } else { Ok(text.to_owned()) }
    }

    fn placeholder() -> Self {
        Self::new()
    }

    fn shown_as() -> Option<fn(&Self) -> toml::Value> {
        Some(|text| text.clone().into())
    }
}

impl Value for bool {
    fn read(value: &toml::Value, _: &Environment) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| "expected true or false".into())
    }

    fn placeholder() -> Self {
        false
    }

    fn shown_as() -> Option<fn(&Self) -> toml::Value> {
        Some(|flag| (*flag).into())
    }
}

/// Whole numbers of each width.
macro_rules! whole_number {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn read(value: &toml::Value, _: &Environment) -> Result<Self, String> {
                value
                    .as_integer()
                    .and_then(|number| Self::try_from(number).ok())
                    .ok_or_else(|| match <$type>::BITS {
                        64 => "expected a whole number, not negative".into(),
                        _ => format!("expected a whole number from 0 to {}", <$type>::MAX),
                    })
            }

            fn placeholder() -> Self {
                0
            }

            fn shown_as() -> Option<fn(&Self) -> toml::Value> {
                Some(|number| i64::try_from(*number).map_or_else(|_| number.to_string().into(), Into::into))
            }
        }
    )*};
}

whole_number!(u16, u32, u64, usize);

impl Value for Duration {
    /// A whole number of seconds, or a number with a unit: `"500ms"`, `"10s"`, `"5m"`, `"24h"`, `"30d"`.
    fn read(value: &toml::Value, _: &Environment) -> Result<Self, String> {
        let expected =
            || "expected seconds or a duration such as \"500ms\", \"10s\", \"5m\", \"24h\"".to_owned();
        if let Some(seconds) = value.as_integer() {
            return u64::try_from(seconds).map(Self::from_secs).map_err(|_| expected());
        }
        let text = value.as_str().ok_or_else(expected)?;
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| expected())?;
        let seconds = match unit {
            "ms" => return Ok(Self::from_millis(number)),
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(expected()),
        };
        number.checked_mul(seconds).map(Self::from_secs).ok_or_else(expected)
    }

    fn placeholder() -> Self {
        Self::ZERO
    }

    /// In seconds, or in milliseconds when it is no whole number of them.
    fn shown_as() -> Option<fn(&Self) -> toml::Value> {
        Some(|duration| match duration.subsec_nanos() {
            0 => format!("{}s", duration.as_secs()).into(),
            _ => format!("{}ms", duration.as_millis()).into(),
        })
    }
}

impl Value for SocketAddr {
    fn read(value: &toml::Value, _: &Environment) -> Result<Self, String> {
        value
            .as_str()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| "expected an address and port such as \"127.0.0.1:2602\"".into())
    }

    fn placeholder() -> Self {
        Self::from(([127, 0, 0, 1], 0))
    }

    fn shown_as() -> Option<fn(&Self) -> toml::Value> {
        Some(|address| address.to_string().into())
    }
}

impl Value for PathBuf {
    fn read(value: &toml::Value, environment: &Environment) -> Result<Self, String> {
        let text = String::read(value, environment)?;
        if text.is_empty() { Err("expected a path".into()) } else { Ok(text.into()) }
    }

    fn files(value: &toml::Value, _: &Environment) -> Vec<PathBuf> {
        value.as_str().filter(|text| !text.is_empty()).map(PathBuf::from).into_iter().collect()
    }

    fn placeholder() -> Self {
        Self::new()
    }

    fn shown_as() -> Option<fn(&Self) -> toml::Value> {
        Some(|path| path.display().to_string().into())
    }
}

impl Value for BaseUrl {
    fn read(value: &toml::Value, _: &Environment) -> Result<Self, String> {
        let text = value.as_str().ok_or("expected a URL")?;
        Self::parse(text).map_err(ToOwned::to_owned)
    }

    fn placeholder() -> Self {
        Self::nowhere()
    }

    fn shown_as() -> Option<fn(&Self) -> toml::Value> {
        // It has neither user nor password.
        Some(|url| url.as_str().into())
    }
}

impl Value for SecretString {
    /// `"the secret"`, or where to find it: `{ file = "/path" }`, `{ env = "NAME" }`, or `{ credential = "NAME" }`
    /// for a file in systemd's `$CREDENTIALS_DIRECTORY`. One newline at the end of a file is not part of it.
    fn read(value: &toml::Value, environment: &Environment) -> Result<Self, String> {
        let secret = match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Table(source) => from_source(source, environment)?,
            _ => return Err("expected a secret, { file = … }, { env = … } or { credential = … }".into()),
        };
        if secret.trim().is_empty() { Err("the secret is empty".into()) } else { Ok(secret.into()) }
    }

    fn files(value: &toml::Value, environment: &Environment) -> Vec<PathBuf> {
        value.as_table().and_then(|source| file_of(source, environment).ok().flatten()).into_iter().collect()
    }

    fn placeholder() -> Self {
        Self::default()
    }
}

impl<T: Value> Value for Vec<T> {
    fn read(value: &toml::Value, environment: &Environment) -> Result<Self, String> {
        let items = value.as_array().ok_or("expected a list")?;
        let read =
            |(index, item)| T::read(item, environment).map_err(|error| format!("item {index}: {error}"));
        items.iter().enumerate().map(read).collect()
    }

    fn files(value: &toml::Value, environment: &Environment) -> Vec<PathBuf> {
        let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().flat_map(|item| T::files(item, environment)).collect()
    }

    fn placeholder() -> Self {
        Self::new()
    }

    fn shown_as() -> Option<fn(&Self) -> toml::Value> {
        // A list of secrets is one.
        T::shown_as()?;
        Some(|items| {
            let show = |item| T::shown_as().map(|shown_as| shown_as(item));
            toml::Value::Array(items.iter().filter_map(show).collect())
        })
    }
}

fn from_source(source: &toml::Table, environment: &Environment) -> Result<String, String> {
    if let Some(path) = file_of(source, environment)? {
        return from_file(path);
    }
    let (_, name) = only_entry(source)?;
    environment.get(name).map(ToOwned::to_owned).ok_or_else(|| format!("${name} is not set"))
}

/// The file that the secret is in; none when it is in the environment.
fn file_of(source: &toml::Table, environment: &Environment) -> Result<Option<PathBuf>, String> {
    let (kind, name) = only_entry(source)?;
    match kind {
        "file" => Ok(Some(PathBuf::from(name))),
        "env" => Ok(None),
        "credential" => {
            let folder =
                environment.get("CREDENTIALS_DIRECTORY").ok_or("$CREDENTIALS_DIRECTORY is not set")?;
            if name.contains('/') {
                return Err("credential: expected a name, not a path".into());
            }
            Ok(Some(PathBuf::from(folder).join(name)))
        }
        _ => Err("expected exactly one of file, env and credential".into()),
    }
}

fn only_entry(source: &toml::Table) -> Result<(&str, &str), String> {
    let mut entries = source.iter();
    let (Some((kind, name)), None) = (entries.next(), entries.next()) else {
        return Err("expected exactly one of file, env and credential".into());
    };
    let name = name.as_str().ok_or_else(|| format!("{kind}: expected a string"))?;
    Ok((kind, name))
}

fn from_file(path: PathBuf) -> Result<String, String> {
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}
