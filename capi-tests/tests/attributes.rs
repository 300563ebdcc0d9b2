//! The table of attributes that all tests read has those of the headers, each once.
#![forbid(unsafe_code)]

use capi_tests::attributes::{Attribute, entries, expectations, groups};
use std::collections::BTreeSet;

/// The numbers and names of an enum of the interface; of the names of one number the first counts.
fn constants(of: &str) -> Vec<(u32, &'static str)> {
    let mut seen = BTreeSet::new();
    include_str!("../abi/libnetfilter_conntrack/constants.tsv")
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|fields| fields[2] == of && !fields[0].ends_with("_MAX"))
        .map(|fields| (fields[1].parse().unwrap(), fields[0]))
        .filter(|(number, _)| seen.insert(*number))
        .collect()
}

#[test]
fn the_table_is_complete() {
    let listed = |rows: &'static [Attribute]| -> Vec<_> {
        rows.iter().map(|row| (row.number, row.name)).collect()
    };
    assert_eq!(listed(entries()), constants("enum nf_conntrack_attr"));
    assert_eq!(listed(groups()), constants("enum nf_conntrack_attr_grp"));
    assert_eq!(listed(expectations()), constants("enum nf_expect_attr"));
}

#[test]
fn the_library_knows_them_by_name() {
    for row in entries() {
        let attribute = ctrs::Attribute::try_from(row.number).unwrap();
        let name = row.name.strip_prefix("ATTR_").unwrap().to_lowercase();
        assert_eq!(attribute.name(), name);
        assert_eq!(ctrs::Attribute::by_name(&name), Some(attribute));
        assert_eq!(attribute.size().unwrap_or(0), row.bytes, "{name}");
    }
}
