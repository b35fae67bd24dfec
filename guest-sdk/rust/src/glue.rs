//! What [`register!`](crate::register) expands to. Not for use by hand.

use std::cell::RefCell;

pub use crate::bindings::{signal, strategy, tape};
use crate::{InitError, Params, Start, Value};

/// Where the running strategy is kept between calls.
#[derive(Debug)]
pub struct Slot<T>(RefCell<Option<T>>);

impl<T> Slot<T> {
    /// Nothing runs yet.
    #[must_use]
    pub const fn empty() -> Self {
        Self(RefCell::new(None))
    }

    /// Puts a strategy in.
    pub fn set(&self, strategy: T) {
        *self.0.borrow_mut() = Some(strategy);
    }

    /// Calls the strategy.
    ///
    /// # Panics
    /// If the host did not call `init` first.
    pub fn with<R>(&self, call: impl FnOnce(&mut T) -> R) -> R {
        call(self.0.borrow_mut().as_mut().expect("the host calls `init` first"))
    }
}

/// The types of `lifecycle` exist once for each world; this makes them the SDK's own.
macro_rules! lifecycle {
    ($module:ident) => {
        impl From<$module::exports::tiltyard::strategy::lifecycle::Value> for Value {
            fn from(value: $module::exports::tiltyard::strategy::lifecycle::Value) -> Self {
                use $module::exports::tiltyard::strategy::lifecycle::Value as Given;
                match value {
                    Given::Integer(number) => Self::Integer(number),
                    Given::Real(number) => Self::Real(number),
                    Given::Flag(flag) => Self::Flag(flag),
                    Given::Text(text) => Self::Text(text),
                }
            }
        }

        impl From<InitError> for $module::exports::tiltyard::strategy::lifecycle::InitError {
            fn from(error: InitError) -> Self {
                use $module::exports::tiltyard::strategy::lifecycle::ParameterProblem;
                match error {
                    InitError::Parameter { name, problem } => {
                        Self::Parameter(ParameterProblem { name: name.to_owned(), problem })
                    }
                    InitError::Instruments(why) => Self::Instruments(why),
                    InitError::Other(why) => Self::Other(why),
                }
            }
        }

        impl<P: Params> TryFrom<$module::exports::tiltyard::strategy::lifecycle::Context> for Start<P> {
            type Error = $module::exports::tiltyard::strategy::lifecycle::InitError;

            fn try_from(
                context: $module::exports::tiltyard::strategy::lifecycle::Context,
            ) -> Result<Self, Self::Error> {
                use $module::exports::tiltyard::strategy::lifecycle::{InitError, ParameterProblem};
                let values: Vec<_> = context.parameters.into_iter().map(|(name, value)| (name, value.into())).collect();
                let params = P::from_values(&values).map_err(|name| {
                    let problem = "is not declared, or its value is not of its kind".to_owned();
                    InitError::Parameter(ParameterProblem { name, problem })
                })?;
                Ok(Self {
                    instruments: context.instruments,
                    bar_intervals: context.bar_intervals,
                    settlement: context.settlement,
                    params,
                    seed: context.seed,
                })
            }
        }
    };
}

lifecycle!(strategy);
lifecycle!(signal);

pub use crate::desk::HostDesk;

/// Makes a component of a strategy: `register!(strategy: T)` for a [`Strategy`](crate::Strategy), `register!(tape: T)` for one
/// that is told of quotes and trades too, `register!(signal: T)` for a [`Signal`](crate::Signal). Once, at the top level of the crate.
#[macro_export]
macro_rules! register {
    (strategy: $strategy:ty) => {
        const _: () = {
            const _: () = assert!(
                <$strategy as $crate::Strategy>::MANIFEST.market_events.is_empty(),
                "`register!(tape: …)` makes a component that is told of quotes and trades"
            );

            $crate::register!(@strategy $strategy);
        };
    };
    (tape: $strategy:ty) => {
        const _: () = {
            const _: () = assert!(
                $crate::MarketEvents::are_all(<$strategy as $crate::Strategy>::MANIFEST.market_events),
                "the manifest declares `market_events: &MarketEvents::ALL`"
            );

            $crate::register!(@strategy $strategy);

            use $crate::glue::tape::exports::tiltyard::strategy::{quote_events, trade_events};

            impl quote_events::Guest for Component {
                fn on_quote(
                    instrument: $crate::InstrumentIndex,
                    time: $crate::Timestamp,
                    bid: f64,
                    bid_quantity: f64,
                    ask: f64,
                    ask_quantity: f64,
                ) {
                    let quote = $crate::Quote { time, bid, bid_quantity, ask, ask_quantity };
                    SLOT.with(|slot| slot.with(|strategy| strategy.on_quote(&mut HostDesk, instrument, &quote)));
                }
            }

            impl trade_events::Guest for Component {
                fn on_trade(
                    instrument: $crate::InstrumentIndex,
                    time: $crate::Timestamp,
                    price: f64,
                    quantity: f64,
                    aggressor: $crate::Side,
                ) {
                    let trade = $crate::Trade { time, price, quantity, aggressor };
                    SLOT.with(|slot| slot.with(|strategy| strategy.on_trade(&mut HostDesk, instrument, &trade)));
                }
            }

            // A native library could not even name these exports.
            #[cfg(target_arch = "wasm32")]
    $crate::glue::tape::export_tape!(Component with_types_in $crate::glue::tape);
        };
    };
    (@strategy $strategy:ty) => {
            use $crate::Strategy as _;
            use $crate::glue::strategy::exports::tiltyard::strategy::{
                bar_events, lifecycle, order_events, timer_events,
            };
            use $crate::glue::{HostDesk, Slot};

    $crate::register!(@manifest $strategy, $crate::Strategy);
            #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "only a component is called"))]
            struct Component;

            impl lifecycle::Guest for Component {
                $crate::register!(@lifecycle $strategy);

                fn warm_up(instrument: $crate::InstrumentIndex, bars: $crate::Columns) {
                    SLOT.with(|slot| slot.with(|strategy| strategy.warm_up(instrument, &bars)));
                }
            }

            impl bar_events::Guest for Component {
                fn on_bar(
                    instrument: $crate::InstrumentIndex,
                    open_time: $crate::Timestamp,
                    open: f64,
                    high: f64,
                    low: f64,
                    close: f64,
                    volume: f64,
                ) {
                    let bar = $crate::Bar { open_time, open, high, low, close, volume };
                    SLOT.with(|slot| slot.with(|strategy| strategy.on_bar(&mut HostDesk, instrument, &bar)));
                }

                fn on_step(time: $crate::Timestamp) {
                    SLOT.with(|slot| slot.with(|strategy| strategy.on_step(&mut HostDesk, time)));
                }
            }

            impl order_events::Guest for Component {
                fn on_fill(fill: $crate::Fill) {
                    SLOT.with(|slot| slot.with(|strategy| strategy.on_fill(&mut HostDesk, &fill)));
                }

                fn on_order(update: $crate::OrderUpdate) {
                    SLOT.with(|slot| slot.with(|strategy| strategy.on_order(&mut HostDesk, &update)));
                }
            }

            impl timer_events::Guest for Component {
                fn on_timer(timer: $crate::TimerId, at: $crate::Timestamp) {
                    SLOT.with(|slot| slot.with(|strategy| strategy.on_timer(&mut HostDesk, timer, at)));
                }
            }

            // A native library could not even name these exports.
            #[cfg(target_arch = "wasm32")]
    $crate::glue::strategy::export_strategy!(Component with_types_in $crate::glue::strategy);
    };
    (signal: $strategy:ty) => {
        const _: () = {
            use $crate::Signal as _;
            use $crate::glue::Slot;
            use $crate::glue::signal::exports::tiltyard::strategy::{lifecycle, signals};

    $crate::register!(@manifest $strategy, $crate::Signal);
            #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "only a component is called"))]
            struct Component;

            impl lifecycle::Guest for Component {
                $crate::register!(@lifecycle $strategy);

                fn warm_up(_: $crate::InstrumentIndex, bars: $crate::Columns) {
                    SLOT.with(|slot| slot.with(|strategy| strategy.warm_up(&bars)));
                }
            }

            impl signals::Guest for Component {
                fn on_bar(
                    open_time: $crate::Timestamp,
                    open: f64,
                    high: f64,
                    low: f64,
                    close: f64,
                    volume: f64,
                ) -> f64 {
                    let bar = $crate::Bar { open_time, open, high, low, close, volume };
                    SLOT.with(|slot| slot.with(|strategy| strategy.target(&bar)))
                }

                fn on_columns(bars: $crate::Columns) -> Vec<f64> {
                    SLOT.with(|slot| slot.with(|strategy| bars.iter().map(|bar| strategy.target(&bar)).collect()))
                }
            }

            // A native library could not even name these exports.
            #[cfg(target_arch = "wasm32")]
    $crate::glue::signal::export_signal!(Component with_types_in $crate::glue::signal);
        };
    };
    (@manifest $strategy:ty, $kind:path) => {
        thread_local! {
            static SLOT: Slot<$strategy> = const { Slot::empty() };
        }

        const SCHEMA: &[$crate::Param] = <<$strategy as $kind>::Params as $crate::Params>::SCHEMA;
        const LEN: usize = <$strategy as $kind>::MANIFEST.json::<0>(SCHEMA).len;
        const JSON: [u8; LEN] = <$strategy as $kind>::MANIFEST.json::<LEN>(SCHEMA).bytes;

        // A custom section of the component; it holds data only.
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "the section is read by nothing but the host")]
        #[used]
        #[unsafe(link_section = "tiltyard:manifest")]
        static SECTION: [u8; LEN] = JSON;
    };
    (@lifecycle $strategy:ty) => {
        fn describe() -> ::std::string::String {
            ::std::string::String::from_utf8_lossy(&JSON).into_owned()
        }

        fn init(context: lifecycle::Context) -> ::std::result::Result<(), lifecycle::InitError> {
            let strategy = <$strategy>::new(&context.try_into()?)?;
            SLOT.with(|slot| slot.set(strategy));
            Ok(())
        }
    };
}
