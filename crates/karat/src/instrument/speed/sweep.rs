//! How fast this machine's memory can be read with as many threads as decoding has: the bound that a
//! memory-bound model runs against.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;

use crate::clock::Stopwatch;
use crate::worker::{Channel, Message, SweepJob};

/// Timed sweeps.
const SWEEPS: usize = 12;
/// Sweeps before the clock counts: they settle clock and page tables.
const WARM_UP: usize = 2;
/// Sums side by side: enough for the widest vectors and the loads in flight.
const LANES: usize = 64;

/// Reads the memory again and again and sends the rate of each sweep.
///
/// Each thread fills a part of its own, so that on machines with several memories it lies near it,
/// then all read at once. A sweep's time is from the common start to the last thread's end. Reading
/// alone: weights are not written.
pub fn run(job: SweepJob, channel: &Channel) {
    let n_threads = job.n_threads.max(1) as usize;
    let n_words = (job.bytes as usize / 8 / n_threads).next_multiple_of(LANES);
    let barrier = Barrier::new(n_threads);
    let seconds = thread::scope(|scope| {
        let reader = || read(n_words, &barrier);
        let others: Vec<_> = (1..n_threads).map(|_| scope.spawn(reader)).collect();
        let own = reader();
        let others: Vec<Vec<f64>> = others.into_iter().filter_map(|t| t.join().ok()).collect();
        // The barrier after each sweep makes every thread's clock show the whole of it.
        others.into_iter().fold(own, |slowest, other| {
            slowest.iter().zip(other).map(|(&one, other)| one.max(other)).collect()
        })
    });
    let bytes = (n_words * 8 * n_threads) as f64;
    let bytes_per_second =
        seconds.into_iter().filter(|&s| s > 0.0).map(|seconds| bytes / seconds).collect();
    channel.send(&Message::Sweep { bytes_per_second });
}

/// One thread's part: seconds of each timed sweep, from the common start to the last thread's end.
fn read(n_words: usize, barrier: &Barrier) -> Vec<f64> {
    // Not zero, so that no page is shared with the kernel's empty one.
    let words: Vec<u64> = (0..n_words as u64).map(|i| i | 1).collect();
    let mut seconds = Vec::with_capacity(SWEEPS);
    for sweep in 0..WARM_UP + SWEEPS {
        barrier.wait();
        let watch = Stopwatch::start();
        black_box(sum(black_box(&words)));
        barrier.wait();
        if sweep >= WARM_UP {
            seconds.push(watch.elapsed().as_secs_f64());
        }
    }
    seconds
}

/// Wrapping sum in as many lanes as it takes to wait for memory and nothing else.
fn sum(words: &[u64]) -> u64 {
    let mut lanes = [0_u64; LANES];
    let (blocks, _) = words.as_chunks::<LANES>();
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block) {
            *lane = lane.wrapping_add(*word);
        }
    }
    lanes.into_iter().fold(0, u64::wrapping_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_reads_every_word() {
        let words: Vec<u64> = (0..640).collect();
        assert_eq!(sum(&words), 639 * 640 / 2);
    }
}
