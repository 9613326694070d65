//! Per-token results of one window and their stored form. Owns the columns and their bytes; never
//! computes a metric or a mean, and never touches the store.
//!
//! Stored form, little-endian: version byte, kind byte, `u32` count n, then the columns one after
//! another, n values each. Nothing is compressed and nothing follows the last column.

use super::kernel::{PairStats, TOP};

/// Layout of the bytes. Raised when a column changes.
const VERSION: u8 = 1;
/// Version, kind and count.
const HEADER_BYTES: usize = 6;
/// Bit of the last column that holds `same_top`; the bits below hold the overlap.
const SAME_TOP: u8 = 0b1000;

/// What stored scores can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`ModelScores`]
    Model,
    /// [`PairScores`]
    Pair,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Model => 1,
            Self::Pair => 2,
        }
    }

    /// Bytes of one position, all columns together.
    const fn row_bytes(self) -> usize {
        match self {
            Self::Model => 8,
            Self::Pair => 8 + 4 + 4 + 1,
        }
    }
}

/// Bytes that are no scores.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Shorter than a header.
    #[error("stored scores have {got} bytes, a header alone has {HEADER_BYTES}")]
    NoHeader {
        /// Number of bytes.
        got: usize,
    },
    /// Written by another version.
    #[error("stored scores have version {got}, this build reads version {VERSION}")]
    Version {
        /// Version byte.
        got: u8,
    },
    /// The other kind of scores, or none.
    #[error("stored scores are of kind {got}, expected {want:?} scores (kind {})", want.byte())]
    Kind {
        /// Kind byte.
        got: u8,
        /// Kind asked for.
        want: Kind,
    },
    /// Cut off, or followed by something.
    #[error("stored scores have {got} bytes, their {n_tokens} tokens need {want}: damaged")]
    Length {
        /// Number of bytes.
        got: usize,
        /// Number of bytes the header implies.
        want: u64,
        /// Count in the header.
        n_tokens: u32,
    },
    /// A value that no measurement gives.
    #[error("stored `{column}` of token {token_idx} is not a possible value: damaged")]
    Value {
        /// Name of the column.
        column: &'static str,
        /// Position in the window's scored part.
        token_idx: usize,
    },
}

/// One model's own scores in one window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelScores {
    /// Negative log-likelihood of each scored token, in nats, `[n_scored]`, in order of position.
    pub nll: Vec<f64>,
}

impl ModelScores {
    /// Adds the next position.
    pub fn push(&mut self, nll: f64) {
        self.nll.push(nll);
    }

    /// Puts the scores of later positions behind these.
    pub fn append(&mut self, later: Self) {
        self.nll.extend(later.nll);
    }

    /// Number of scored positions.
    pub fn len(&self) -> usize {
        self.nll.len()
    }

    /// Whether nothing was scored.
    pub fn is_empty(&self) -> bool {
        self.nll.is_empty()
    }

    /// The stored form, 8 bytes per position; exact.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = header(Kind::Model, self.len());
        bytes.extend(self.nll.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    /// The inverse of `encode`. Refuses anything else, NaN included.
    pub fn decode(bytes: &[u8]) -> Result<Self, TokenError> {
        let mut columns = Columns::open(bytes, Kind::Model)?;
        Ok(Self { nll: columns.f64s("nll")? })
    }
}

/// One candidate against one reference in one window: one entry per scored position in every
/// column, in order of position.
///
/// `kld` keeps f64, because means are claimed to 1e-7 nats and a model against itself to be
/// exactly 0; the others are rounded to f32, a relative error of 6e-8 that has no bias.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PairScores {
    kld: Vec<f64>,
    reverse_kld: Vec<f32>,
    delta_p: Vec<f32>,
    top5_overlap: Vec<u8>,
    same_top: Vec<bool>,
}

impl PairScores {
    /// Adds the next position.
    pub fn push(&mut self, stats: &PairStats) {
        self.kld.push(stats.kld);
        self.reverse_kld.push(stats.reverse_kld as f32);
        self.delta_p.push(stats.delta_p as f32);
        self.top5_overlap.push(stats.top5_overlap);
        self.same_top.push(stats.same_top);
    }

    /// Puts the scores of later positions behind these.
    pub fn append(&mut self, later: Self) {
        self.kld.extend(later.kld);
        self.reverse_kld.extend(later.reverse_kld);
        self.delta_p.extend(later.delta_p);
        self.top5_overlap.extend(later.top5_overlap);
        self.same_top.extend(later.same_top);
    }

    /// Number of scored positions.
    pub fn len(&self) -> usize {
        self.kld.len()
    }

    /// Whether nothing was scored.
    pub fn is_empty(&self) -> bool {
        self.kld.is_empty()
    }

    /// KL(reference‖candidate), in nats; +inf possible.
    pub fn kld(&self) -> &[f64] {
        &self.kld
    }

    /// KL(candidate‖reference), in nats; +inf possible.
    pub fn reverse_kld(&self) -> &[f32] {
        &self.reverse_kld
    }

    /// Candidate's probability of the scored token minus the reference's.
    pub fn delta_p(&self) -> &[f32] {
        &self.delta_p
    }

    /// Tokens in common among the five likeliest, 0 to 5.
    pub fn top5_overlap(&self) -> &[u8] {
        &self.top5_overlap
    }

    /// Whether the likeliest token is the same.
    pub fn same_top(&self) -> &[bool] {
        &self.same_top
    }

    /// The stored form, 17 bytes per position; exact.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = header(Kind::Pair, self.len());
        bytes.extend(self.kld.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend(self.reverse_kld.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend(self.delta_p.iter().flat_map(|value| value.to_le_bytes()));
        let flags = self.top5_overlap.iter().zip(&self.same_top);
        bytes.extend(flags.map(|(&overlap, &same)| overlap | if same { SAME_TOP } else { 0 }));
        bytes
    }

    /// The inverse of `encode`. Refuses anything else: NaN, an overlap above 5, unknown flags.
    pub fn decode(bytes: &[u8]) -> Result<Self, TokenError> {
        let mut columns = Columns::open(bytes, Kind::Pair)?;
        let kld = columns.f64s("kld")?;
        let reverse_kld = columns.f32s("reverse_kld")?;
        let delta_p = columns.f32s("delta_p")?;
        let flags = columns.take(1);
        if let Some(token_idx) = flags.iter().position(|flag| usize::from(flag & !SAME_TOP) > TOP) {
            return Err(TokenError::Value { column: "flags", token_idx });
        }
        let top5_overlap = flags.iter().map(|flag| flag & !SAME_TOP).collect();
        let same_top = flags.iter().map(|flag| flag & SAME_TOP != 0).collect();
        Ok(Self { kld, reverse_kld, delta_p, top5_overlap, same_top })
    }
}

fn header(kind: Kind, n_tokens: usize) -> Vec<u8> {
    let count = u32::try_from(n_tokens).expect("a window has fewer than 2^32 tokens");
    let mut bytes = Vec::with_capacity(HEADER_BYTES + n_tokens * kind.row_bytes());
    bytes.extend([VERSION, kind.byte()]);
    bytes.extend(count.to_le_bytes());
    bytes
}

/// The columns of stored scores whose length has been checked.
struct Columns<'a> {
    rest: &'a [u8],
    n_tokens: usize,
}

impl<'a> Columns<'a> {
    fn open(bytes: &'a [u8], want: Kind) -> Result<Self, TokenError> {
        let got = bytes.len();
        let Some((&[version, kind, c0, c1, c2, c3], rest)) = bytes.split_first_chunk() else {
            return Err(TokenError::NoHeader { got });
        };
        if version != VERSION {
            return Err(TokenError::Version { got: version });
        }
        if kind != want.byte() {
            return Err(TokenError::Kind { got: kind, want });
        }
        let n_tokens = u32::from_le_bytes([c0, c1, c2, c3]);
        let needed = u64::from(n_tokens) * want.row_bytes() as u64;
        if rest.len() as u64 != needed {
            return Err(TokenError::Length { got, want: HEADER_BYTES as u64 + needed, n_tokens });
        }
        Ok(Self { rest, n_tokens: n_tokens as usize })
    }

    /// The next column, of `width` bytes per token.
    fn take(&mut self, width: usize) -> &'a [u8] {
        let (column, rest) = self.rest.split_at(self.n_tokens * width);
        self.rest = rest;
        column
    }

    fn f64s(&mut self, column: &'static str) -> Result<Vec<f64>, TokenError> {
        let (values, _) = self.take(8).as_chunks();
        let values: Vec<f64> = values.iter().map(|&value| f64::from_le_bytes(value)).collect();
        match values.iter().position(|value| value.is_nan()) {
            Some(token_idx) => Err(TokenError::Value { column, token_idx }),
            None => Ok(values),
        }
    }

    fn f32s(&mut self, column: &'static str) -> Result<Vec<f32>, TokenError> {
        let (values, _) = self.take(4).as_chunks();
        let values: Vec<f32> = values.iter().map(|&value| f32::from_le_bytes(value)).collect();
        match values.iter().position(|value| value.is_nan()) {
            Some(token_idx) => Err(TokenError::Value { column, token_idx }),
            None => Ok(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;
    use crate::metric::kernel::{NO_TOKEN, RowStats};

    fn stats(kld: f64, reverse_kld: f64, delta_p: f64, overlap: u8, same_top: bool) -> PairStats {
        let candidate =
            RowStats { max: 0.0, lse_offset: 0.0, top: [NO_TOKEN; TOP], nll: 0.0, p_target: 1.0 };
        PairStats { candidate, kld, reverse_kld, delta_p, top5_overlap: overlap, same_top }
    }

    fn three() -> PairScores {
        let mut scores = PairScores::default();
        scores.push(&stats(0.0, 0.0, 0.0, 5, true));
        scores.push(&stats(0.25, 0.5, -0.125, 3, false));
        scores.push(&stats(f64::INFINITY, f64::INFINITY, 1.0, 0, false));
        scores
    }

    /// `damage` turns good bytes of three pair scores into bytes refused with `want`.
    #[track_caller]
    fn check_refused(damage: impl FnOnce(&mut Vec<u8>), want: &TokenError) {
        let mut bytes = three().encode();
        damage(&mut bytes);
        assert_eq!(PairScores::decode(&bytes).as_ref(), Err(want));
    }

    #[test]
    fn layout_is_fixed() {
        let mut scores = PairScores::default();
        scores.push(&stats(1.0, 2.0, -1.0, 5, true));
        let mut want = vec![1, 2, 1, 0, 0, 0];
        want.extend([0, 0, 0, 0, 0, 0, 0xF0, 0x3F]);
        want.extend([0, 0, 0, 0x40, 0, 0, 0x80, 0xBF, 0b1101]);
        assert_eq!(scores.encode(), want);
        let model = ModelScores { nll: vec![1.0] };
        assert_eq!(model.encode(), [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F]);
    }

    #[test]
    fn an_unfinished_header_is_refused() {
        check_refused(|bytes| bytes.truncate(5), &TokenError::NoHeader { got: 5 });
    }

    #[test]
    fn another_version_is_refused() {
        check_refused(|bytes| bytes[0] = 9, &TokenError::Version { got: 9 });
    }

    #[test]
    fn the_other_kind_is_refused() {
        check_refused(|bytes| bytes[1] = 1, &TokenError::Kind { got: 1, want: Kind::Pair });
    }

    #[test]
    fn a_cut_off_column_is_refused() {
        let want = TokenError::Length { got: 56, want: 57, n_tokens: 3 };
        check_refused(|bytes| bytes.truncate(56), &want);
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let want = TokenError::Length { got: 58, want: 57, n_tokens: 3 };
        check_refused(|bytes| bytes.push(0), &want);
    }

    #[test]
    fn a_huge_count_is_refused_before_anything_is_allocated() {
        let n_tokens = u32::MAX;
        let want = 6 + 17 * u64::from(n_tokens);
        let want = TokenError::Length { got: 57, want, n_tokens };
        check_refused(|bytes| bytes[2..6].fill(0xFF), &want);
    }

    #[test]
    fn nan_is_refused() {
        let want = TokenError::Value { column: "kld", token_idx: 1 };
        check_refused(|bytes| bytes[14..22].fill(0xFF), &want);
        let want = TokenError::Value { column: "delta_p", token_idx: 2 };
        check_refused(|bytes| bytes[50..54].fill(0xFF), &want);
    }

    #[test]
    fn impossible_flags_are_refused() {
        for flags in [6, 0b1110, 0b1_0000, 0xFF] {
            let want = TokenError::Value { column: "flags", token_idx: 2 };
            check_refused(|bytes| bytes[56] = flags, &want);
        }
    }

    fn number() -> impl Strategy<Value = f64> {
        any::<u64>().prop_map(f64::from_bits).prop_filter("a number", |value| !value.is_nan())
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(3),
            cases: 500,
            ..ProptestConfig::default()
        })]

        #[test]
        fn model_scores_survive_to_the_bit(nll in prop::collection::vec(number(), 0..200)) {
            let mut scores = ModelScores::default();
            for &value in &nll {
                scores.push(value);
            }
            let bytes = scores.encode();
            let back = ModelScores::decode(&bytes)?;
            prop_assert_eq!(back.encode(), bytes);
            for (got, want) in back.nll.iter().zip(&nll) {
                prop_assert_eq!(got.to_bits(), want.to_bits());
            }
            prop_assert_eq!(back.len(), nll.len());
        }

        #[test]
        fn pair_scores_survive_to_the_bit(
            rows in prop::collection::vec(
                (number(), number(), number(), 0..=5u8, any::<bool>()), 0..200
            )
        ) {
            let mut scores = PairScores::default();
            for &(kld, reverse, delta, overlap, same) in &rows {
                scores.push(&stats(kld, reverse, delta, overlap, same));
            }
            let bytes = scores.encode();
            let back = PairScores::decode(&bytes)?;
            prop_assert_eq!(back.len(), rows.len());
            for (got, want) in back.kld().iter().zip(&rows) {
                prop_assert_eq!(got.to_bits(), want.0.to_bits());
            }
            prop_assert_eq!(&back, &scores);
            prop_assert_eq!(back.encode(), bytes);
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            // What is accepted must be exactly what would be written.
            if let Ok(scores) = PairScores::decode(&bytes) {
                prop_assert_eq!(scores.encode(), bytes.clone());
            }
            if let Ok(scores) = ModelScores::decode(&bytes) {
                prop_assert_eq!(scores.encode(), bytes);
            }
        }

        #[test]
        fn any_body_behind_a_good_header_is_decoded_or_refused(
            kind in 1..=2u8, count in 0..5u32, body in prop::collection::vec(any::<u8>(), 0..80)
        ) {
            let mut bytes = vec![VERSION, kind];
            bytes.extend(count.to_le_bytes());
            bytes.extend(body);
            if let Ok(scores) = PairScores::decode(&bytes) {
                prop_assert_eq!(scores.encode(), bytes.clone());
            }
            if let Ok(scores) = ModelScores::decode(&bytes) {
                prop_assert_eq!(scores.encode(), bytes);
            }
        }
    }
}
