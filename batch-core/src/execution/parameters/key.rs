//! The job key: Spring Batch's digest over the identifying parameters, byte for byte.

use super::ParameterValue;
use md5::{Digest, Md5};
use std::fmt::Write;

/// Which Spring Batch generation's key format to use, where executions are shared with one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JobKeyFormat {
    /// Spring Batch 6: each parameter in its record form.
    #[default]
    Spring6,
    /// Spring Batch 5: `name={value=.., type=.., identifying=..};`
    Spring5,
}

pub(super) fn digest<'a>(format: JobKeyFormat, parameters: impl Iterator<Item = (&'a str, &'a ParameterValue)>) -> String {
    let mut sorted: Vec<_> = parameters.collect();
    // Java compares strings by UTF-16 unit, which differs from UTF-8 order beyond the basic plane.
    sorted.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
    let mut text = String::new();
    for (name, value) in sorted {
        let class = value.java_class();
        // Writing to a String cannot fail.
        let _ = match format {
            JobKeyFormat::Spring6 => {
                write!(text, "JobParameter{{name='{name}', value={value}, type=class {class}, identifying=true}}")
            }
            JobKeyFormat::Spring5 => write!(text, "{name}={{value={value}, type=class {class}, identifying=true}};"),
        };
    }
    Md5::digest(text).iter().fold(String::with_capacity(32), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::super::Parameters;
    use super::JobKeyFormat;

    #[test]
    fn the_golden_vectors_of_both_spring_generations() {
        let p = Parameters::new().set("run.id", 1).set("input.file", "/data/in.csv").set_other("chunk", 10);
        assert_eq!(p.key(), "ec65d9fc49b6df0bc46f4ec4ff0b8daf");
        assert_eq!(p.key_as(JobKeyFormat::Spring5), "97c4b176f816f614edc3281c9c4bc867");
        assert_eq!(Parameters::new().key(), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
