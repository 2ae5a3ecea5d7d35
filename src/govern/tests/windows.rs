use proptest::prelude::*;

use crate::govern::window::Window;

/// Requests admitted under a limit, as milliseconds at which they came.
fn admitted(limit: u64, arrivals: &[u64]) -> Vec<u64> {
    let mut window = Window::default();
    let mut admitted = Vec::new();
    for now in arrivals {
        let second = u32::try_from(now / 1000).unwrap();
        window.advance(second);
        if window.sum() < limit {
            window.add(second, 1);
            admitted.push(*now);
        } else {
            let free = window.below(limit).unwrap();
            assert!(u64::from(free) * 1000 > *now, "a denied request waits");
        }
    }
    admitted
}

proptest! {
    #[test]
    fn no_60_seconds_ever_have_more_than_the_limit(
        limit in 1_u64..40, gaps in prop::collection::vec(0_u64..4000, 1..400),
    ) {
        let arrivals: Vec<u64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
        let admitted = admitted(limit, &arrivals);
        for (at, first) in admitted.iter().enumerate() {
            let within = admitted[at..].iter().take_while(|next| **next < first + 60_000).count();
            prop_assert!(within as u64 <= limit);
        }
    }

    #[test]
    fn the_sum_is_that_of_its_buckets(steps in prop::collection::vec((0_u32..200, 0_u64..5, any::<bool>()), 1..200)) {
        let mut window = Window::default();
        for (second, count, back) in steps {
            if back {
                window.advance(second);
            }
            window.add(second, count);
            let sum: u64 = window.buckets().map(|bucket| u64::from(bucket.count)).sum();
            prop_assert_eq!(sum, window.sum());
            let seconds: Vec<u32> = window.buckets().map(|bucket| bucket.second).collect();
            prop_assert!(seconds.is_sorted_by(|one, two| one < two));
        }
    }
}

#[test]
fn a_steady_caller_loses_less_than_two_percent() {
    // Ten hours of a caller who asks ten times as often as allowed.
    let arrivals: Vec<u64> = (0..3_600_000).map(|number| number * 10).collect();
    let admitted = admitted(600, &arrivals).len();
    let allowed = 36_000_000 / 60_000 * 600;
    assert!(admitted * 100 >= allowed * 98, "{admitted} of {allowed}");
}

#[test]
fn what_lies_in_the_future_of_a_clock_that_went_back_is_forgotten_in_time() {
    let mut window = Window::default();
    window.add(5_000, 3);
    window.advance(1_000);
    assert_eq!(window.sum(), 3);
    window.advance(1_060);
    assert_eq!(window.sum(), 3);
    window.advance(1_061);
    assert_eq!(window.sum(), 0);
}
