//! `karat fit`: which builds fit a graphics card. Reads headers; loads nothing, stores nothing.

use anyhow::{Context as _, bail};

use super::Session;
use crate::cli::FitArgs;
use crate::exit::Exit;
use crate::memory::{Fit, Repack, Request, Room, Shape, fit};
use crate::model::{ModelFile, short_names};
use crate::report::{self, FitAnswer, FitReason, FitRow};
use crate::settings::FitSettings;

pub(super) fn run(session: &Session, args: &FitArgs) -> anyhow::Result<Exit> {
    let settings = args.settings();
    let answer = answer(session, &settings)?;
    let bytes = report::fit(&answer, args.format, session.ui.colors_output())?;
    session.ui.data(&bytes).context("cannot write to standard output")?;
    Ok(Exit::Ok)
}

fn answer(session: &Session, settings: &FitSettings) -> anyhow::Result<FitAnswer> {
    let room = Room { vram: settings.vram, reserve: settings.reserve };
    if room.usable() == 0 {
        bail!(
            "--reserve (1GiB unless given) leaves nothing of --vram; give a smaller --reserve, e.g. \
             --reserve 256MiB"
        );
    }
    let names = short_names(&settings.models);
    let mut rows = Vec::new();
    for (name, path) in names.iter().zip(&settings.models) {
        let file = ModelFile::open(path)?;
        let shape = match Shape::read(file.gguf.metadata(), file.gguf.tensors()) {
            Ok(shape) => shape,
            Err(error) if settings.models.len() > 1 => {
                session.ui.warn(&format!("{name}: {error}"));
                continue;
            }
            Err(error) => bail!("{name}: {error}"),
        };
        for &kv in &settings.kv {
            let request = Request {
                n_ctx: settings.n_ctx,
                n_ubatch: settings.n_ubatch,
                kv: kv.ggml_type(),
                gpu_layers: None,
                n_outputs: 1,
                mapped: true,
                repack: Repack::Off,
            };
            match fit(&shape, file.gguf.tensors(), &request, room) {
                Ok(fit) => rows.push(FitRow {
                    model: name.clone(),
                    kv: kv.to_string(),
                    weights_bytes: fit.gpu.weights,
                    kv_bytes: fit.gpu.kv,
                    compute_bytes: fit.gpu.compute,
                    fits: fit.fits && !fit.is_beyond_training,
                    reason: reason(&fit),
                    n_ctx_train: shape.n_ctx_train,
                    largest_ctx: fit.largest_ctx,
                    is_trained_length: fit.is_trained_length,
                    gpu_layers: fit.gpu_layers,
                    n_layers: shape.layers.len() as u32 + 1,
                }),
                Err(error) => session.ui.warn(&format!("{name}: {error}")),
            }
        }
    }
    if rows.is_empty() {
        bail!("nothing could be predicted for any of the builds");
    }
    Ok(FitAnswer {
        vram_bytes: settings.vram,
        reserve_bytes: settings.reserve,
        n_ctx: settings.n_ctx,
        n_ubatch: settings.n_ubatch,
        rows,
    })
}

/// Why a build does not fit. The trained length comes first: no memory makes up for it.
fn reason(fit: &Fit) -> Option<FitReason> {
    match (fit.is_beyond_training, fit.fits) {
        (true, _) => Some(FitReason::TrainedLength),
        (false, false) => Some(FitReason::Memory),
        (false, true) => None,
    }
}
