//! `karat compare`.

use clap::Args;

use super::FidelityArgs;

/// Arguments of `karat compare`: those of every instrument it runs; today that is fidelity.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  karat compare m-Q8_0.gguf m-Q4_K_M.gguf m-Q4_0.gguf --reference m-bf16.gguf --text wiki.txt

Runs the instruments that exist (fidelity) and prints one table.")]
pub struct CompareArgs {
    /// What fidelity needs.
    #[command(flatten)]
    pub fidelity: FidelityArgs,
}
