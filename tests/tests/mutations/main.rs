//! Spoiled components at admission: whatever a file holds, the answer is an admission or a refusal, at a price that its
//! size bounds.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod counting;
mod mutate;

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use tiltyard_model::{Digest, is_shown};
use tiltyard_sandbox::{AdmissionLimits, admit};
use tiltyard_tests::{CURIOUS, corpus};

use counting::{Allocated, Counting, counted};
use mutate::Mutation;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What admission may allocate for each byte of a file, and for any file at all. The contract that it compares with is
/// read anew for each.
const TOTAL: Allocated = Allocated { total: 400, peak: 100 };
const ANYWAY: Allocated = Allocated { total: 16 << 20, peak: 8 << 20 };

/// Files to spoil: the examples, and guests of the corpus that are small enough to be spoiled by the hundred.
static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let examples = tiltyard_examples::EXAMPLES.iter().map(|example| example.component.to_vec());
    let guests = corpus().map(|case| (case.file)()).filter(|file| (16..200_000).contains(&file.len()));
    let mut files: Vec<_> = examples.chain([CURIOUS.to_vec()]).chain(guests).collect();
    files.dedup();
    files
});

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<usize>;
    let number = || prop_oneof![0_u32..300, Just(u32::MAX), Just(u32::MAX >> 1), Just(1 << 20), any::<u32>()];
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, bit)| Mutation::Flip { at, bit }),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set { at, byte }),
        1 => at().prop_map(|at| Mutation::Truncate { at }),
        1 => (at(), at()).prop_map(|(at, count)| Mutation::Remove { at, count }),
        1 => (at(), at()).prop_map(|(at, count)| Mutation::Repeat { at, count }),
        1 => (at(), at(), at()).prop_map(|(at, from, count)| Mutation::Splice { at, from, count }),
        2 => (at(), at()).prop_map(|(one, other)| Mutation::Swap { one, other }),
        2 => (at(), at()).prop_map(|(before, section)| Mutation::Transplant { before, section }),
        2 => (at(), number()).prop_map(|(section, length)| Mutation::Length { section, length }),
        3 => (at(), number()).prop_map(|(section, count)| Mutation::Count { section, count }),
    ]
}

/// A file, spoiled in a few ways, with pieces of another one.
fn spoiled() -> impl Strategy<Value = Vec<u8>> {
    (any::<usize>(), any::<usize>(), vec(mutation(), 1..6)).prop_map(|(file, other, mutations)| {
        let pick = |at: usize| &FILES[at % FILES.len()];
        let mut bytes = pick(file).clone();
        mutations.into_iter().for_each(|mutation| mutation.apply(&mut bytes, pick(other)));
        bytes
    })
}

/// Whether this much was to be expected for a file of this size.
fn is_modest(allocated: Allocated, size: usize) -> bool {
    allocated.total <= ANYWAY.total + TOTAL.total * size && allocated.peak <= ANYWAY.peak + TOTAL.peak * size
}

/// A fifth of the scenarios of the kernel: reading a component costs more than a few bars.
fn cases() -> u32 {
    let asked = std::env::var("TILTYARD_CASES").ok().and_then(|cases| cases.parse().ok());
    asked.map_or(300, |cases: u32| cases / 5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_spoiled_component_is_admitted_or_refused_at_a_modest_price(bytes in spoiled()) {
        let limits = AdmissionLimits::default();
        let (answer, allocated) = counted(|| admit(&bytes, &limits));
        prop_assert!(is_modest(allocated, bytes.len()), "{allocated:?} for {} bytes: {answer:?}", bytes.len());
        match &answer {
            Ok(admission) => prop_assert_eq!(admission.digest, Digest::of(&bytes)),
            Err(refusal) => {
                let told = refusal.to_string();
                prop_assert!(told.len() <= 1_500 && is_shown(&told), "{told:?}");
            }
        }
        prop_assert_eq!(answer, admit(&bytes, &limits), "admission depends on nothing but the file");
    }
}

#[test]
fn what_is_whole_is_judged_at_a_modest_price_too() {
    for case in corpus() {
        let file = (case.file)();
        let (answer, allocated) = counted(|| admit(&file, &AdmissionLimits::default()));
        assert!(is_modest(allocated, file.len()), "{case:?}: {allocated:?} for {} bytes: {answer:?}", file.len());
    }
}
