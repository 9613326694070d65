//! Matched controls: the original with another build's types, tensor by tensor, so that the two
//! differ in their recipe alone. It never judges either.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use karat_gguf::{GgmlType, Gguf, Tensor};
use karat_llama::{MetadataOverride, QuantizeParams};

use crate::error::QuantError;
use crate::file_type::FileTypeName;
use crate::imatrix::ImatrixChoice;
use crate::input::{check_originals, open as open_input};
use crate::quantize::{Making, read_imatrix};
use crate::recipe::Target;
use crate::report::QuantizeReport;
use crate::tensor_kind::{is_quantizable, shape};
use crate::tensor_type::is_makeable;

/// A twin to be made.
#[derive(Clone, Debug)]
pub struct TwinJob {
    /// The build whose types are taken.
    pub like: PathBuf,
    /// The full-precision original whose weights are taken.
    pub original: PathBuf,
    /// The GGUF file to make.
    pub output: PathBuf,
    /// Importance matrix; none makes the plainest control.
    pub imatrix: Option<ImatrixChoice>,
    /// Replace the output, if it exists.
    pub overwrite: bool,
    /// Threads; 0 for as many as the machine has. Their number does not change the output.
    pub n_threads: u32,
}

impl TwinJob {
    /// A twin without importance matrix.
    pub fn new(
        like: impl Into<PathBuf>,
        original: impl Into<PathBuf>,
        output: impl Into<PathBuf>,
    ) -> Self {
        let (like, original, output) = (like.into(), original.into(), output.into());
        Self { like, original, output, imatrix: None, overwrite: false, n_threads: 0 }
    }
}

/// Why a tensor of a twin has another type than its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnmatchedReason {
    /// The engine never converts this tensor: a vector, a norm, a router or the like.
    NeverConverted,
    /// The engine has no quantizer for the type.
    NotMakeable,
    /// The engine was told to make the type and made another.
    EngineChose,
}

impl fmt::Display for UnmatchedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NeverConverted => "the engine never converts this tensor",
            Self::NotMakeable => "the engine cannot make this type",
            Self::EngineChose => "the engine chose otherwise",
        })
    }
}

/// A tensor of a twin that has another type than its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// Name of the tensor.
    pub tensor: String,
    /// Its type in the build that the twin is like.
    pub want: GgmlType,
    /// Its type in the twin.
    pub got: GgmlType,
    /// Why.
    pub reason: UnmatchedReason,
}

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tensor, want, got, reason } = self;
        write!(f, "{}: {got} instead of {want} ({reason})", tensor.escape_debug())
    }
}

/// What came out of a twin job.
#[derive(Clone, Debug, PartialEq)]
pub struct TwinReport {
    /// The output.
    pub build: QuantizeReport,
    /// Tensors that have the wanted type.
    pub n_matched: usize,
    /// The others, in the order of the original.
    pub unmatched: Vec<Unmatched>,
}

/// Makes the twin: `original`'s weights in `like`'s types. The output's `general.file_type` is
/// `like`'s; all other metadata are the original's.
///
/// The types of the output are read back and compared; tensors that could not be matched are in
/// the report. The output appears only when it is whole, as with [`crate::quantize`].
///
/// Fails where the two files have not the same architecture, tensor names and shapes, where a
/// tensor of the original is already quantized to another type, where a type needs an importance
/// matrix and none is given, and as [`crate::quantize`] does.
pub fn twin(job: &TwinJob) -> Result<TwinReport, QuantError> {
    let like = open_input(&job.like)?;
    let original = open_input(&job.original)?;
    check_same_model(&like, &original, job)?;
    let architecture = original.architecture().unwrap_or_default();
    let pairs = || original.tensors().iter().filter_map(|t| Some((t, like.tensor(&t.name)?.ty)));
    let targets: Vec<Target> =
        pairs().map(|(tensor, want)| target(architecture, tensor, want)).collect();
    check_originals(&original, &targets)?;
    let imatrix = read_imatrix(job.imatrix.as_ref(), &original)?;
    let file_type = carrier(&like)?;
    let params = params(job, &like, file_type, pairs().zip(&targets));
    let making = Making { input: &original, targets: &targets, file_type, imatrix, params };
    let likes: Vec<&Path> = like.parts().iter().map(PathBuf::as_path).collect();
    let (build, made) = making.run(&job.output, job.overwrite, &likes)?;
    let unmatched = unmatched(architecture, pairs(), &made);
    Ok(TwinReport { build, n_matched: made.tensors().len() - unmatched.len(), unmatched })
}

/// What the engine is to make of a tensor that is `want` in the other build.
fn target(architecture: &str, tensor: &Tensor, want: GgmlType) -> Target {
    match reason(architecture, tensor, want) {
        None => Target::Exact(want),
        Some(_) => Target::Keep,
    }
}

/// Why a tensor cannot be made `want`; `None` where it can.
fn reason(architecture: &str, tensor: &Tensor, want: GgmlType) -> Option<UnmatchedReason> {
    if tensor.ty == want {
        None
    } else if !is_quantizable(architecture, tensor) {
        Some(UnmatchedReason::NeverConverted)
    } else if !is_makeable(want) {
        Some(UnmatchedReason::NotMakeable)
    } else {
        None
    }
}

/// The file type under which the engine takes types per tensor: a quantized one, `like`'s where it
/// is one.
fn carrier(like: &Gguf) -> Result<&'static FileTypeName, QuantError> {
    let number = like.metadata().get_u64("general.file_type");
    let known = number.and_then(|id| FileTypeName::from_id(u32::try_from(id).ok()?));
    match known.filter(|ty| ty.default_type.is_quantized()) {
        Some(file_type) => Ok(file_type),
        None => FileTypeName::parse("Q8_0"),
    }
}

fn params<'a>(
    job: &TwinJob,
    like: &Gguf,
    file_type: &'static FileTypeName,
    tensors: impl Iterator<Item = ((&'a Tensor, GgmlType), &'a Target)>,
) -> QuantizeParams {
    // Without a mixture, tensors of the default type need no pattern. The engine tries every
    // pattern on every tensor, so that a big model takes the longer, the more there are.
    let tensor_types = tensors
        .map(|((tensor, want), target)| match target {
            Target::Keep => (tensor, tensor.ty),
            Target::Exact(_) | Target::AtMost(_) => (tensor, want),
        })
        .filter(|(_, ty)| *ty != file_type.default_type)
        .map(|(tensor, ty)| (format!("^{}$", regex::escape(&tensor.name)), ty.id()))
        .collect();
    let number = like.metadata().get_u64("general.file_type").and_then(|n| u32::try_from(n).ok());
    let relabel = number.filter(|&id| id != file_type.id);
    let metadata = relabel.map(|id| MetadataOverride::U32("general.file_type".to_owned(), id));
    QuantizeParams {
        n_threads: job.n_threads,
        pure: true,
        tensor_types,
        metadata: metadata.into_iter().collect(),
        ..QuantizeParams::new(file_type.engine())
    }
}

fn unmatched<'a>(
    architecture: &str,
    tensors: impl Iterator<Item = (&'a Tensor, GgmlType)>,
    made: &Gguf,
) -> Vec<Unmatched> {
    let differs = |(tensor, want): (&Tensor, GgmlType)| {
        let got = made.tensor(&tensor.name)?.ty;
        if got == want {
            return None;
        }
        let reason = reason(architecture, tensor, want).unwrap_or(UnmatchedReason::EngineChose);
        Some(Unmatched { tensor: tensor.name.clone(), want, got, reason })
    };
    tensors.filter_map(differs).collect()
}

/// Refuses files whose architecture, tensor names or shapes differ, and says which.
fn check_same_model(like: &Gguf, original: &Gguf, job: &TwinJob) -> Result<(), QuantError> {
    let other = |difference: String| QuantError::OtherModel {
        like: job.like.clone(),
        original: job.original.clone(),
        difference,
    };
    let architectures = (like.architecture(), original.architecture());
    if architectures.0 != architectures.1 {
        let name = |architecture: Option<&str>| format!("{:?}", architecture.unwrap_or_default());
        let (first, second) = (name(architectures.0), name(architectures.1));
        return Err(other(format!("the architectures are {first} and {second}")));
    }
    let first = missing(original, like);
    let second = missing(like, original);
    if !first.is_empty() || !second.is_empty() {
        let parts = [("the first", &first), ("the second", &second)];
        let lists = parts.iter().filter(|(_, names)| !names.is_empty());
        let lists = lists.map(|(which, names)| format!("{which} has no {}", listed(names)));
        return Err(other(lists.collect::<Vec<_>>().join("; ")));
    }
    let shapes = original.tensors().iter().filter_map(|tensor| {
        let (want, got) = (shape(tensor), shape(like.tensor(&tensor.name)?));
        (want != got).then(|| format!("{} ({got:?} and {want:?})", tensor.name))
    });
    let shapes: Vec<String> = shapes.collect();
    if shapes.is_empty() {
        Ok(())
    } else {
        let names = shapes.iter().map(String::as_str).collect();
        Err(other(format!("shapes differ in {}", listed(&names))))
    }
}

/// Names of tensors that `from` has and `of` lacks.
fn missing<'a>(from: &'a Gguf, of: &Gguf) -> BTreeSet<&'a str> {
    let names = from.tensors().iter().map(|tensor| tensor.name.as_str());
    names.filter(|name| of.tensor(name).is_none()).collect()
}

/// The first few names, and how many more there are. Escaped: they come from a file.
fn listed(names: &BTreeSet<&str>) -> String {
    const SHOWN: usize = 4;
    let first: Vec<String> =
        names.iter().take(SHOWN).map(|name| format!("`{}`", name.escape_debug())).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
