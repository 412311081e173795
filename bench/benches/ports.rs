//! The benchmarks, a group each, run by criterion, which compares with the last run and leaves
//! a report in `target/criterion/report/index.html`. Its figures carry no topology label; the binary
//! `targets` labels and judges.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use port_core_bench::benchmark;
use port_core_bench::topology::Processors;
use std::time::Duration;

fn ports(criterion: &mut Criterion) {
    let Some(processors) = Processors::find() else {
        eprintln!("two processors are needed");
        return;
    };
    for benchmark in benchmark::all() {
        let mut group = criterion.benchmark_group(benchmark.name);
        group.sample_size(20);
        group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(1_200));
        for mut candidate in benchmark.candidates {
            group.bench_function(BenchmarkId::from_parameter(candidate.name), |bencher| {
                bencher.iter_custom(|iterations| {
                    let wanted = usize::try_from(iterations).expect("few iterations");
                    let sample = candidate.sample(&processors, wanted);
                    // More may have been done than was wanted: whole blocks.
                    sample.elapsed.mul_f64(wanted as f64 / sample.operations as f64)
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, ports);
criterion_main!(benches);
