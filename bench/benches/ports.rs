//! The questions, a group each, put by criterion, which compares with the last run and leaves
//! a report in `target/criterion/report/index.html`. Its figures carry no topology label; the binary
//! `targets` labels and judges.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use port_core_bench::question;
use port_core_bench::topology::Processors;
use std::time::Duration;

fn ports(criterion: &mut Criterion) {
    let Some(processors) = Processors::find() else {
        eprintln!("two processors are needed");
        return;
    };
    for question in question::all() {
        let mut group = criterion.benchmark_group(question.name);
        group.sample_size(20);
        group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(1_200));
        for mut contender in question.contenders {
            group.bench_function(BenchmarkId::from_parameter(contender.name), |bencher| {
                bencher.iter_custom(|iterations| {
                    let asked = usize::try_from(iterations).expect("few iterations");
                    let sample = contender.sample(&processors, asked);
                    // More may have been done than was asked: whole blocks.
                    sample.elapsed.mul_f64(asked as f64 / sample.operations as f64)
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, ports);
criterion_main!(benches);
