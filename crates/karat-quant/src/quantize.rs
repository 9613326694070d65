//! The quantize job: what llama-quantize does, with the checks before it and the output put in its
//! place only when it is whole.

use std::path::{Path, PathBuf};

use karat_gguf::{GgmlType, Gguf};
use karat_llama::{EngineError, MetadataOverride, QuantizeParams};

use crate::error::QuantError;
use crate::file_type::FileTypeName;
use crate::imatrix::{Imatrix, ImatrixChoice};
use crate::input::{
    check_importance, check_originals, check_rows, check_same_model, open as open_input,
};
use crate::output::Output;
use crate::recipe::{Recipe, Target, output_bytes};
use crate::report::{QuantizeReport, reopen};
use crate::tensor_type::{TensorTypeRule, is_makeable};

/// A build to be made.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of llama-quantize")]
pub struct QuantizeJob {
    /// The GGUF file to start from; of a split one, its first part.
    pub input: PathBuf,
    /// The GGUF file to make, in one part.
    pub output: PathBuf,
    /// What to make of it.
    pub file_type: &'static FileTypeName,
    /// Importance matrix.
    pub imatrix: Option<ImatrixChoice>,
    /// Give all tensors the default type of the file type, no mixture.
    pub pure: bool,
    /// Types of single tensors; the first rule that matches wins. Without effect where the file
    /// type is F32, F16, BF16 or COPY, as in llama-quantize.
    pub tensor_types: Vec<TensorTypeRule>,
    /// Type of the token embedding.
    pub token_embedding_type: Option<GgmlType>,
    /// Type of the output matrix; where the model has none of its own, of the token embedding.
    pub output_type: Option<GgmlType>,
    /// Leave `output.weight` as it is.
    pub leave_output: bool,
    /// Accept an input that is already quantized.
    pub allow_requantize: bool,
    /// Replace the output, if it exists.
    pub overwrite: bool,
    /// Metadata of the output that shall differ from the input's.
    pub metadata: Vec<MetadataOverride>,
    /// Threads; 0 for as many as the machine has. Their number does not change the output.
    pub n_threads: u32,
}

impl QuantizeJob {
    /// A job with llama-quantize's defaults.
    pub fn new(
        input: impl Into<PathBuf>,
        output: impl Into<PathBuf>,
        file_type: &'static FileTypeName,
    ) -> Self {
        Self {
            input: input.into(),
            output: output.into(),
            file_type,
            imatrix: None,
            pure: false,
            tensor_types: Vec::new(),
            token_embedding_type: None,
            output_type: None,
            leave_output: false,
            allow_requantize: false,
            overwrite: false,
            metadata: Vec::new(),
            n_threads: 0,
        }
    }

    fn recipe(&self) -> Recipe<'_> {
        Recipe {
            file_type: self.file_type,
            pure: self.pure,
            leave_output: self.leave_output,
            token_embedding_type: self.token_embedding_type,
            output_type: self.output_type,
            rules: &self.tensor_types,
        }
    }

    fn params(&self) -> QuantizeParams {
        QuantizeParams {
            n_threads: self.n_threads,
            output_type: self.output_type.map(GgmlType::id),
            token_embedding_type: self.token_embedding_type.map(GgmlType::id),
            allow_requantize: self.allow_requantize,
            quantize_output: !self.leave_output,
            only_copy: self.file_type.copies,
            pure: self.pure,
            tensor_types: self
                .tensor_types
                .iter()
                .map(|rule| (rule.pattern().to_owned(), rule.ty().id()))
                .collect(),
            metadata: self.metadata.clone(),
            ..QuantizeParams::new(self.file_type.engine())
        }
    }
}

/// Makes the build, byte for byte as llama-quantize does.
///
/// The output appears under its name only when it is whole and on disk; until then it is a hidden
/// file beside it. On any error that file is gone and an existing output untouched.
///
/// Fails, before the engine starts, where the input is no model or already quantized, where a type
/// needs an importance matrix, where the output exists, is the input, or cannot be written, and
/// where the disk has not the room that [`predict`] foretells; else where the engine does.
pub fn quantize(job: &QuantizeJob) -> Result<QuantizeReport, QuantError> {
    check_types(job)?;
    let input = open_input(&job.input)?;
    let targets = job.recipe().targets(&input);
    let imatrix = read_imatrix(job.imatrix.as_ref(), &input)?;
    if !job.allow_requantize {
        check_originals(&input, &targets)?;
    }
    let (file_type, params) = (job.file_type, job.params());
    let making = Making { input: &input, targets: &targets, file_type, imatrix, params };
    making.run(&job.output, job.overwrite, &[]).map(|(report, _)| report)
}

/// Bytes that the output of `job` takes at most. Exact but for a few kilobytes where no mixture
/// decides the types; up to about a third too many where one does.
///
/// Fails where the input is no model.
pub fn predict(job: &QuantizeJob) -> Result<u64, QuantError> {
    let input = open_input(&job.input)?;
    Ok(output_bytes(&input, &job.recipe().targets(&input)))
}

fn check_types(job: &QuantizeJob) -> Result<(), QuantError> {
    let given = [job.token_embedding_type, job.output_type];
    if let Some(ty) = given.into_iter().flatten().find(|&ty| !is_makeable(ty)) {
        return Err(QuantError::NotMakeable { ty });
    }
    let keys = job.metadata.iter().map(|entry| match entry {
        MetadataOverride::Str(key, _)
        | MetadataOverride::U32(key, _)
        | MetadataOverride::F32(key, _) => key,
    });
    match keys.into_iter().find(|key| key.len() > 127) {
        Some(key) => Err(QuantError::LongKey { key: key.clone() }),
        None => Ok(()),
    }
}

/// An importance matrix, and the path that the output names.
pub(crate) type ReadImatrix<'a> = Option<(Imatrix, &'a Path)>;

pub(crate) fn read_imatrix<'a>(
    choice: Option<&'a ImatrixChoice>,
    input: &Gguf,
) -> Result<ReadImatrix<'a>, QuantError> {
    let Some(choice) = choice else { return Ok(None) };
    let imatrix = choice.read()?;
    check_same_model(input, &imatrix, &choice.path)?;
    Ok(Some((imatrix, &choice.path)))
}

/// Everything that the engine needs to make one file.
pub(crate) struct Making<'a> {
    pub(crate) input: &'a Gguf,
    pub(crate) targets: &'a [Target],
    pub(crate) file_type: &'static FileTypeName,
    pub(crate) imatrix: ReadImatrix<'a>,
    pub(crate) params: QuantizeParams,
}

impl Making<'_> {
    /// Checks what is left to check, lets the engine write, checks and places the output.
    /// `others` are files besides the input that the output must not replace.
    pub(crate) fn run(
        mut self,
        path: &Path,
        overwrite: bool,
        others: &[&Path],
    ) -> Result<(QuantizeReport, Gguf), QuantError> {
        check_rows(self.input, self.targets)?;
        let imatrix = self.imatrix.as_ref().map(|(imatrix, _)| imatrix);
        check_importance(self.input, self.targets, self.file_type, imatrix)?;
        let mut taken: Vec<&Path> = self.input.parts().iter().map(PathBuf::as_path).collect();
        taken.extend(others);
        taken.extend(self.imatrix.as_ref().map(|(_, path)| *path));
        let output = Output::new(path, overwrite, &taken)?;
        output.check_room(output_bytes(self.input, self.targets))?;
        if let Some((imatrix, path)) = self.imatrix.take() {
            self.params.metadata.extend(imatrix.metadata(path));
            self.params.imatrix = imatrix.into_engine();
        }
        output.write(|temporary| {
            karat_llama::quantize(&self.input.parts()[0], temporary, &self.params)
                .map_err(|error| explained(error, path))?;
            let made = reopen(temporary, path, self.input)?;
            Ok((QuantizeReport::of(self.input, &made), made))
        })
    }
}

/// The engine's error without its progress line, and with what its stream's own words mean.
fn explained(error: EngineError, output: &Path) -> QuantError {
    let EngineError::Quantize { path, reason } = error else { return QuantError::Engine(error) };
    let reason = match reason.rsplit_once("failed to quantize: ") {
        Some((_, cause)) => cause.trim().to_owned(),
        None => reason,
    };
    // What C++'s streams throw when a write fails.
    if reason.contains("iostream error") {
        let (path, reason) = (output.to_owned(), "a write failed".to_owned());
        return QuantError::Damaged { path, reason };
    }
    QuantError::Engine(EngineError::Quantize { path, reason })
}
