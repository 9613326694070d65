//! Reads the engine's progress out of its log lines. It never reads the log itself: callers get
//! the lines through `karat_llama::capture_logs`.

/// Tensors done and tensors in all, where `line` is the engine's line for one tensor:
/// `[   3/  59] blk.0.attn_k.weight - [...`.
///
/// The line is complete when its tensor is written, so the first number counts finished tensors.
pub fn parse_progress(line: &str) -> Option<(u32, u32)> {
    let (numbers, _) = line.strip_prefix('[')?.split_once(']')?;
    let (done, total) = numbers.split_once('/')?;
    let (done, total) = (done.trim().parse().ok()?, total.trim().parse().ok()?);
    (1..=total).contains(&done).then_some((done, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, want: Option<(u32, u32)>) {
        assert_eq!(parse_progress(line), want);
    }

    #[test]
    fn a_tensor_line_gives_its_numbers() {
        check(
            "[   3/  59] blk.0.attn_k.weight  - [  256,   128,     1,     1], type",
            Some((3, 59)),
        );
        check("[1024/1024] output.weight", Some((1024, 1024)));
    }

    #[test]
    fn other_lines_give_none() {
        check("llama_model_quantize_impl: model size  =     8.88 MiB (16.02 BPW)", None);
        check("[ 0/ 0] nothing", None);
        check("[60/59] beyond the end", None);
        check("[x/y]", None);
        check("", None);
    }
}
