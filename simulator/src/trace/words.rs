//! Feeds whatever serializes to a [`Hasher`], word by word: no encoding is made that somebody would have to read again.
//!
//! Two values of one type hash alike only if their encodings would be alike: numbers are words, texts and lists go with
//! their lengths, and variants with their indices.

use super::Hasher;
use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use std::fmt;

/// Takes in a value.
pub(super) fn hash<T: Serialize + ?Sized>(
    hasher: &mut Hasher,
    value: &T,
) -> Result<(), Unserializable> {
    value.serialize(Words(hasher))
}

/// Why a value does not serialize.
#[derive(Debug)]
pub(super) struct Unserializable(String);

impl fmt::Display for Unserializable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unserializable {}

impl ser::Error for Unserializable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

type Done = Result<(), Unserializable>;

struct Words<'a>(&'a mut Hasher);

impl Words<'_> {
    fn word(&mut self, word: u64) {
        self.0.word(word);
    }

    fn put<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        value.serialize(Words(self.0))
    }
}

/// A length must be known before what it counts.
fn known(len: Option<usize>) -> Result<u64, Unserializable> {
    let len = len.ok_or_else(|| Unserializable("a list without a length".into()))?;
    Ok(len as u64)
}

/// Numbers that fit a word.
macro_rules! numbers {
    ($($method:ident: $number:ty),*) => {$(
        fn $method(mut self, number: $number) -> Done {
            self.word(number as u64);
            Ok(())
        }
    )*};
}

impl Serializer for Words<'_> {
    type Ok = ();
    type Error = Unserializable;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers!(
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_char: char
    );

    fn serialize_i128(self, number: i128) -> Done {
        self.serialize_u128(number as u128)
    }

    fn serialize_u128(mut self, number: u128) -> Done {
        self.word(number as u64);
        self.word((number >> 64) as u64);
        Ok(())
    }

    fn serialize_f32(mut self, number: f32) -> Done {
        self.word(number.to_bits().into());
        Ok(())
    }

    fn serialize_f64(mut self, number: f64) -> Done {
        self.word(number.to_bits());
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Done {
        self.serialize_bytes(text.as_bytes())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Done {
        self.0.bytes(bytes);
        Ok(())
    }

    fn serialize_none(mut self) -> Done {
        self.word(0);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(mut self, value: &T) -> Done {
        self.word(1);
        self.put(value)
    }

    fn serialize_unit(self) -> Done {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        Ok(())
    }

    fn serialize_unit_variant(mut self, _: &'static str, index: u32, _: &'static str) -> Done {
        self.word(index.into());
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        value: &T,
    ) -> Done {
        self.put(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Done {
        self.word(index.into());
        self.put(value)
    }

    fn serialize_seq(mut self, len: Option<usize>) -> Result<Self, Unserializable> {
        self.word(known(len)?);
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Unserializable> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Unserializable> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Unserializable> {
        self.word(index.into());
        Ok(self)
    }

    fn serialize_map(mut self, len: Option<usize>) -> Result<Self, Unserializable> {
        self.word(known(len)?);
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unserializable> {
        Ok(self)
    }

    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Unserializable> {
        self.word(index.into());
        Ok(self)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// What is made of parts.
macro_rules! parts {
    ($($part:ident: $method:ident),*) => {$(
        impl $part for Words<'_> {
            type Ok = ();
            type Error = Unserializable;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
                self.put(value)
            }

            fn end(self) -> Done {
                Ok(())
            }
        }
    )*};
}

parts!(
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field
);

/// What is made of named parts: the names are the type's.
macro_rules! named_parts {
    ($($part:ident),*) => {$(
        impl $part for Words<'_> {
            type Ok = ();
            type Error = Unserializable;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Done {
                self.put(value)
            }

            fn skip_field(&mut self, name: &'static str) -> Done {
                let why = format!("field {name} is left out, and so may another be: two values would hash alike");
                Err(Unserializable(why))
            }

            fn end(self) -> Done {
                Ok(())
            }
        }
    )*};
}

named_parts!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Words<'_> {
    type Ok = ();
    type Error = Unserializable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        self.put(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.put(value)
    }

    fn end(self) -> Done {
        Ok(())
    }
}
