//! The workloads of cross_runtime on tokio: its current_thread runtime, and timers
//! while its time is paused.
//!
//!   cargo run --release -- W1
//!
//! `abort` drops a task's future, and nothing in the task can catch it: W5 is
//! not what cancellation is elsewhere.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::{task, time};

fn emit(key: &str, value: f64, unit: &str) {
    println!("{key}\t{value:.6}\t{unit}");
}

fn resident_bytes() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
}

fn run<T>(paused: bool, future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time();
    if paused {
        builder.start_paused(true);
    }
    builder.build().unwrap().block_on(future)
}

/// Nanoseconds since `begin`, for each of `count`.
fn ns_each(begin: Instant, count: u64) -> f64 {
    begin.elapsed().as_nanos() as f64 / count as f64
}

async fn give_way(times: u64) {
    for _ in 0..times {
        task::yield_now().await
    }
}

fn w1() {
    let switches = 5_000_000u64;
    for tasks in [1u64, 100, 10_000] {
        let ns = run(false, async move {
            let begin = Instant::now();
            let all: Vec<_> = (0..tasks)
                .map(|_| task::spawn(give_way(switches / tasks)))
                .collect();
            for one in all {
                one.await.unwrap()
            }
            ns_each(begin, switches)
        });
        emit(&format!("W1.switch.N={tasks}"), ns, "ns/switch");
    }
}

fn w2() {
    let tasks = 1_000_000u64;
    let (ns, bytes) = run(false, async move {
        let bytes_before = resident_bytes();
        let begin = Instant::now();
        let all: Vec<_> = (0..tasks).map(|i| task::spawn(async move { i })).collect();
        let bytes = resident_bytes() - bytes_before;
        let mut sum = 0;
        for one in all {
            sum += one.await.unwrap()
        }
        assert_eq!(sum, tasks * (tasks - 1) / 2);
        (ns_each(begin, tasks), bytes / tasks as f64)
    });
    emit("W2.spawn.cold", ns, "ns/task");
    emit("W2.bytes", bytes, "B/task");
}

async fn sleep_often(mut seed: u32, times: u64, most_ms: u32) {
    for _ in 0..times {
        seed = seed.wrapping_mul(1664525).wrapping_add(1013904223);
        time::sleep(Duration::from_millis(1 + ((seed >> 8) % most_ms) as u64)).await
    }
}

fn w3() {
    for (name, tasks, times, most_ms) in [
        ("dense", 1_000_000u64, 3u64, 1_000u32),
        ("sparse", 1_000, 300, 100_000),
    ] {
        let ns = run(true, async move {
            let begin = Instant::now();
            let all: Vec<_> = (0..tasks)
                .map(|i| task::spawn(sleep_often(i as u32, times, most_ms)))
                .collect();
            for one in all {
                one.await.unwrap()
            }
            ns_each(begin, tasks * times)
        });
        emit(&format!("W3.timer.{name}"), ns, "ns/event");
    }
}

async fn put_all(sender: mpsc::Sender<u64>, messages: u64) {
    for i in 0..messages {
        sender.send(i).await.unwrap()
    }
}

async fn get_all(mut receiver: mpsc::Receiver<u64>) -> u64 {
    let mut sum = 0;
    while let Some(value) = receiver.recv().await {
        sum += value
    }
    sum
}

fn w4() {
    let messages = 1_000_000u64;
    for (name, producers) in [("1p1c", 1u64), ("1000p1c", 1_000)] {
        let each = messages / producers;
        let ns = run(false, async move {
            let begin = Instant::now();
            let (sender, receiver) = mpsc::channel(1);
            for _ in 0..producers {
                task::spawn(put_all(sender.clone(), each));
            }
            drop(sender);
            let sum = task::spawn(get_all(receiver)).await.unwrap();
            assert_eq!(sum, producers * (each * (each - 1) / 2));
            ns_each(begin, messages)
        });
        emit(&format!("W4.chan.{name}"), ns, "ns/msg");
    }
}

static STARTS: AtomicU64 = AtomicU64::new(0);
static ENDS: AtomicU64 = AtomicU64::new(0);

struct CountsItsEnd;

impl Drop for CountsItsEnd {
    fn drop(&mut self) {
        ENDS.fetch_add(1, Relaxed);
    }
}

async fn leaf(gate: oneshot::Receiver<u64>) -> u64 {
    let _end = CountsItsEnd;
    STARTS.fetch_add(1, Relaxed);
    gate.await.unwrap_or(0)
}

async fn middle(gate: oneshot::Receiver<u64>) -> u64 {
    let _end = CountsItsEnd;
    leaf(gate).await
}

async fn top(gate: oneshot::Receiver<u64>) -> u64 {
    let _end = CountsItsEnd;
    middle(gate).await
}

fn w5() {
    let tasks = 100_000u64;
    let ns = run(false, async move {
        let mut senders = Vec::new();
        let all: Vec<_> = (0..tasks)
            .map(|_| {
                let (sender, receiver) = oneshot::channel();
                senders.push(sender);
                task::spawn(top(receiver))
            })
            .collect();
        while STARTS.load(Relaxed) < tasks {
            task::yield_now().await
        }
        let begin = Instant::now();
        for one in &all {
            one.abort()
        }
        let mut aborted = 0;
        for one in all {
            if one.await.is_err() {
                aborted += 1
            }
        }
        assert!(aborted == tasks && ENDS.load(Relaxed) == 3 * tasks);
        ns_each(begin, tasks)
    });
    emit("W5.cancel", ns, "ns/cancel");
}

fn chain(depth: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if depth == 0 {
            1
        } else {
            1 + chain(depth - 1).await
        }
    })
}

fn w6() {
    for depth in [1_000u64, 10] {
        let times = 1_000_000 / depth;
        let calls = times * (depth + 1);
        let ns = run(false, async move {
            let begin = Instant::now();
            let mut sum = 0;
            for _ in 0..times {
                sum += chain(depth).await
            }
            assert_eq!(sum, calls);
            ns_each(begin, calls)
        });
        emit(&format!("W6.chain.d={depth}"), ns, "ns/call");
    }
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("W1") => w1(),
        Some("W2") => w2(),
        Some("W3") => w3(),
        Some("W4") => w4(),
        Some("W5") => w5(),
        Some("W6") => w6(),
        _ => {
            eprintln!("tokio_peer: expected one of W1 to W6");
            std::process::exit(2)
        }
    }
}
