/// The value of a parameter as the host gives it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Yes or no.
    Flag(bool),
    /// A text.
    Text(String),
}

/// The kind of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// A whole number.
    Integer,
    /// A number.
    Real,
    /// Yes or no.
    Flag,
    /// A text.
    Text,
}

/// What a parameter does, for whoever searches over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A number of bars.
    Window,
    /// A level that a decision hangs on.
    Threshold,
    /// How much is at stake.
    Risk,
    /// Anything else.
    Other,
}

/// Least and greatest value and the step of a search, as written in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Least value.
    pub min: &'static str,
    /// Greatest value.
    pub max: &'static str,
    /// Step of a search.
    pub step: &'static str,
}

/// A declared parameter, as [`params!`](crate::params) writes it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: ParamKind,
    /// The value used where nothing else is said.
    pub default: &'static str,
    /// Its bounds; numbers have them, flags and texts do not.
    pub bounds: Option<Bounds>,
    /// What it does.
    pub role: Role,
    /// A line of help, one piece a line of the doc comment.
    pub help: &'static [&'static str],
}

/// A set of parameters. Implemented by [`params!`](crate::params).
pub trait Params: Sized {
    /// What is declared, in order.
    const SCHEMA: &'static [Param];

    /// The defaults.
    fn defaults() -> Self;

    /// The defaults with these values instead.
    ///
    /// # Errors
    /// The name of a parameter that is not declared or whose value is not of its kind.
    fn from_values(values: &[(String, Value)]) -> Result<Self, String>;
}

/// A type that a parameter can have: `u32`, `u64`, `i64`, `usize`, `f64`, `bool`, `String`.
pub trait ParamType: Sized {
    /// The kind it is declared as.
    const KIND: ParamKind;
    /// The type of its default in the source.
    type Literal;

    /// The value of a literal.
    fn from_literal(literal: Self::Literal) -> Self;

    /// Reads a value; `None` if it is of another kind or out of the type's range.
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! integer_param {
    ($($ty:ty),*) => {$(
        impl ParamType for $ty {
            const KIND: ParamKind = ParamKind::Integer;
            type Literal = $ty;

            fn from_literal(literal: $ty) -> Self {
                literal
            }

            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Integer(number) => Self::try_from(*number).ok(),
                    _ => None,
                }
            }
        }
    )*};
}

integer_param!(u32, u64, i64, usize);

impl ParamType for f64 {
    const KIND: ParamKind = ParamKind::Real;
    type Literal = f64;

    fn from_literal(literal: f64) -> Self {
        literal
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Real(number) => Some(*number),
            _ => None,
        }
    }
}

impl ParamType for bool {
    const KIND: ParamKind = ParamKind::Flag;
    type Literal = bool;

    fn from_literal(literal: bool) -> Self {
        literal
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        }
    }
}

impl ParamType for String {
    const KIND: ParamKind = ParamKind::Text;
    type Literal = &'static str;

    fn from_literal(literal: &'static str) -> Self {
        literal.to_owned()
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

/// Declares a strategy's parameters: a struct with one field each.
///
/// A number is declared as `name: type = default in min..=max step step, role;`, a flag or text as
/// `name: type = default, role;`. The role is `window`, `threshold`, `risk` or `other`; the doc comment is the help. A
/// default outside its bounds does not compile.
///
/// ```
/// use tiltyard_sdk::prelude::*;
///
/// params! {
///     pub struct Params {
///         /// Bars in the average.
///         window: u32 = 20 in 2..=400 step 2, window;
///         /// Whether to go short.
///         short: bool = false, other;
///     }
/// }
///
/// assert_eq!(Params::defaults().window, 20);
/// ```
#[macro_export]
macro_rules! params {
    ($(#[$attr:meta])* $vis:vis struct $name:ident { $(
        $(#[doc = $help:literal])*
        $field:ident: $ty:ty = $default:literal $(in $min:literal..=$max:literal step $step:literal)?, $role:ident;
    )* }) => {
        $(#[$attr])*
        /// The strategy's parameters.
        #[derive(Debug, Clone, PartialEq)]
        $vis struct $name { $(
            $(#[doc = $help])*
            pub $field: $ty,
        )* }

        const _: () = { $($(
            assert!($min <= $default && $default <= $max, concat!("`", stringify!($field), "`: the default is out of bounds"));
            assert!($step > (0 as $ty), concat!("`", stringify!($field), "`: the step must be more than 0"));
        )?)* };

        impl $crate::Params for $name {
            const SCHEMA: &'static [$crate::Param] = &[$($crate::Param {
                name: stringify!($field),
                kind: <$ty as $crate::ParamType>::KIND,
                default: concat!($default),
                bounds: $crate::params!(@bounds $($min, $max, $step)?),
                role: $crate::params!(@role $role),
                help: &[$($help),*],
            }),*];

            fn defaults() -> Self {
                Self { $($field: <$ty as $crate::ParamType>::from_literal($default)),* }
            }

            fn from_values(values: &[(::std::string::String, $crate::Value)]) -> ::std::result::Result<Self, ::std::string::String> {
                #[allow(unused_mut, reason = "a strategy may have no parameters")]
                let mut params = Self::defaults();
                for (name, value) in values {
                    match (name.as_str(), value) {
                        $((stringify!($field), value) => {
                            params.$field = <$ty as $crate::ParamType>::from_value(value).ok_or_else(|| name.clone())?;
                        })*
                        _ => return Err(name.clone()),
                    }
                }
                Ok(params)
            }
        }
    };
    (@bounds) => { ::std::option::Option::None };
    (@bounds $min:literal, $max:literal, $step:literal) => {
        ::std::option::Option::Some($crate::Bounds { min: concat!($min), max: concat!($max), step: concat!($step) })
    };
    (@role window) => { $crate::Role::Window };
    (@role threshold) => { $crate::Role::Threshold };
    (@role risk) => { $crate::Role::Risk };
    (@role other) => { $crate::Role::Other };
    (@role $other:ident) => { compile_error!(concat!("`", stringify!($other), "` is no role: window, threshold, risk or other")) };
}
