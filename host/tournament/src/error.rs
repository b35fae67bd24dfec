use tiltyard_config::ConfigError;
use tiltyard_market::{CatalogError, KeyError};

use crate::contest::MOST_RUNS;
use crate::space::SpaceError;
use crate::window::SplitError;

/// Why a tournament cannot be held.
#[derive(Debug, thiserror::Error)]
pub enum ContestError {
    /// The specification.
    #[error(transparent)]
    Spec(#[from] ConfigError),
    /// The variants.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The data.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A name that no series can have.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The windows.
    #[error("{label}: {error}")]
    Split {
        /// Of which data.
        label: String,
        /// What is wrong with them.
        error: SplitError,
    },
    /// No data where it was asked for.
    #[error(transparent)]
    NoBars(Box<NoBars>),
    /// Data of different times.
    #[error(
        "no time is in the data of every symbol: the one that begins last begins at {from}, the one that ends first ends at {to}; give them tournaments of their own"
    )]
    Apart {
        /// When the series that begins last begins.
        from: String,
        /// When the one that ends first ends.
        to: String,
    },
    /// One account has one currency.
    #[error(
        "{symbol} is priced in {quote}, the others in {settlement}; an account has one currency: give it a tournament of its own"
    )]
    Currencies {
        /// The symbol.
        symbol: String,
        /// Its currency.
        quote: String,
        /// That of those before it.
        settlement: String,
    },
    /// A perpetual: without its funding the results would be wrong.
    #[error(
        "{symbol} is a perpetual, and tournaments have no series of funding and of marks yet, so that whoever holds it would seem to pay \
         nothing; leave it out, or play it with `tiltyard backtest --funding`"
    )]
    Perpetual {
        /// The symbol.
        symbol: String,
    },
    /// A signal strategy trades one instrument.
    #[error("{strategy} is a signal strategy, which trades one instrument at a time; give it `markets = \"each\"`")]
    Signal {
        /// The strategy.
        strategy: String,
    },
    /// A strategy of quotes, of which bars have none.
    #[error("{strategy} trades quotes and trades of others, and bars have none of them; leave it out")]
    OnTape {
        /// The strategy.
        strategy: String,
    },
    /// Two components with one digest.
    #[error("{strategy} takes part twice with the same component; put its variants under one [[strategy]]")]
    Twice {
        /// The strategy.
        strategy: String,
    },
    /// More than can be run.
    #[error(
        "that makes {count} runs, at most {MOST_RUNS} are taken: {variants} variants on {groups} markets and {windows} windows"
    )]
    TooMany {
        /// Runs.
        count: u128,
        /// Variants of all strategies.
        variants: usize,
        /// Markets.
        groups: usize,
        /// Windows.
        windows: usize,
    },
}

/// No data where it was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{symbol} has no bars from {from} to {to}; its data goes from {first} to {last}{}", seal(.sealed.as_deref()))]
pub struct NoBars {
    /// The symbol.
    pub symbol: String,
    /// What was asked for.
    pub from: String,
    /// What was asked for.
    pub to: String,
    /// When its first bar opens.
    pub first: String,
    /// When its last bar closes.
    pub last: String,
    /// Where the holdout begins, if there is one.
    pub sealed: Option<String>,
}

fn seal(from: Option<&str>) -> String {
    from.map(|from| format!(", of which what closes after {from} is the sealed holdout")).unwrap_or_default()
}
