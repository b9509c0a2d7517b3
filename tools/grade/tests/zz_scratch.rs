mod common;
use common::{root, workshop};
use normbook_grade::{assignment::Assignment, renew::renew};
#[test]
fn scratch() {
    for seed in [1u64, 2, 3, 31337, 4242] {
        let renewed = renew(&workshop(), &Assignment::open(&root(), "a1").unwrap(), seed).unwrap();
        println!("a1 {seed} {:?} {:?}", renewed.complaints(), renewed.sheet.tests[12].calls.iter().map(|c| c.expected[0].0.values[0]).collect::<Vec<_>>());
    }
}
