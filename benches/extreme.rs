//! Monorepos of an extreme shape through the whole engine, all built-in packs at work: what each service costs must not
//! grow with their number, and nothing may overflow.

use std::fs;

use super::machine::{Cost, Storage};
use super::shape::{self, Shape};
use super::table::{Row, Table};
use super::{Bench, grouped};

/// How many services the full sizes have, and how many the smaller ones that they are held against.
const SIZES: [(Shape, &str, [usize; 2]); 2] = [
    (Shape::Chain, "a chain", [10_000, 100_000]),
    (Shape::Hub, "a hub", [1_000, 10_000]),
];

/// Applies each shape at both of its sizes, and plans it again.
pub(super) fn measure(storage: &Storage, table: &mut Table) {
    for (shape, name, [small, large]) in SIZES {
        let base = run(storage, shape, small);
        let cost = run(storage, shape, large);
        let growth = cost.cpu / base.cpu / (large as f64 / small as f64);
        table.add(
            Row::new(
                format!(
                    "{name} of {} services on all platforms, applied and planned again: CPU time",
                    grouped(large)
                ),
                cost.show_cpu(),
            )
            .beside(format!("of {}: {}", grouped(small), base.show_cpu()))
            .budget(growth, 1.5, "×")
            .held(1.5),
        );
    }
}

fn run(storage: &Storage, shape: Shape, n_services: usize) -> Cost {
    let folder = storage.folder.path().join(format!("{shape:?}-{n_services}"));
    for (path, text) in shape::files(shape, n_services, &shape::platforms()) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("the storage can be written");
        fs::write(path, text).expect("the storage can be written");
    }
    let bench = Bench::at(folder, n_services, 1);
    let cost = bench.cold();
    // It fails where anything is left to do.
    bench.plan_again();
    fs::remove_dir_all(&bench.folder).expect("it is ours");
    cost
}
