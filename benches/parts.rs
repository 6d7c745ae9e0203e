//! Times the parts of a run that depend on nothing but their input.

use std::hint::black_box;
use std::io;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use nsls::output::{Format, JsonLayout, Listing, Look, Taken};
use nsls::query::{Column, Filter, flat};
use nsls::{Sysroot, bench};

fn parsers(criterion: &mut Criterion) {
    criterion.bench_function("link text", |bencher| {
        bencher.iter(|| bench::is_link(black_box(b"net:[4026531833]")));
    });
    criterion.bench_function("filter", |bencher| {
        let filter = r#"TYPE == "net" and NPROCS > 1 or USER =~ "^systemd-""#;
        bencher.iter(|| Filter::parse(black_box(filter)).is_ok());
    });
    let mut mountinfo = Vec::new();
    for id in 0..1000 {
        let line = if id % 10 == 0 {
            format!("{id} 30 0:4 net:[{id}] /run/netns/n{id} rw shared:9 - nsfs nsfs rw\n")
        } else {
            format!("{id} 30 0:{id} / /srv/data/{id} rw,relatime shared:{id} - ext4 /dev/sda1 rw\n")
        };
        mountinfo.extend(line.bytes());
    }
    assert_eq!(bench::mounted_namespaces(&mountinfo), 100);
    let mut group = criterion.benchmark_group("mountinfo");
    group.throughput(Throughput::Bytes(mountinfo.len() as u64));
    group.bench_function("1,000 lines", |bencher| {
        bencher.iter(|| bench::mounted_namespaces(black_box(&mountinfo)));
    });
    group.finish();
}

fn grouping(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("grouping");
    group.sample_size(20);
    for count in [10_000, 100_000] {
        let processes = bench::crowd(count);
        assert_eq!(bench::group(processes.clone()), count as usize / 10 * 3 + 8);
        group.throughput(Throughput::Elements(count.into()));
        group.bench_function(format!("{count} processes"), |bencher| {
            bencher.iter_batched(|| processes.clone(), bench::group, BatchSize::LargeInput);
        });
    }
    group.finish();
}

fn writing(criterion: &mut Criterion) {
    const ROWS: u32 = 20_000;
    let snapshot = bench::snapshot(ROWS);
    let root = Sysroot::at("/nonexistent");
    let columns: Vec<&'static Column> = ["NS", "TYPE", "NPROCS", "PID", "USER", "COMMAND"]
        .iter()
        .filter_map(|name| name.parse().ok())
        .collect();
    assert_eq!(columns.len(), 6);
    let rows = snapshot
        .namespaces
        .iter()
        .map(|namespace| snapshot.row(&root, namespace))
        .collect();
    let listing = Listing {
        snapshot: &snapshot,
        taken: Taken::default(),
        namespace: None,
        rows: flat(rows),
        tree_column: None,
        columns: &columns,
        headings: true,
        dims_host: false,
    };
    let mut group = criterion.benchmark_group("writing 20,000 rows");
    group
        .sample_size(20)
        .throughput(Throughput::Elements(ROWS.into()));
    for (name, format) in [
        ("table", Format::Table(Look::default())),
        ("raw", Format::Raw),
        ("JSON", Format::Json(JsonLayout::Pretty)),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| listing.write(format, &mut io::sink()).is_ok());
        });
    }
    group.finish();
}

criterion_group!(parts, parsers, grouping, writing);
criterion_main!(parts);
