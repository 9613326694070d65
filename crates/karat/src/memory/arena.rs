//! How the engine lays a graph's intermediate results into one buffer, followed step by step: a
//! result gets room when it is computed and gives it back after its last use, a free gap that fits
//! best is taken first, and element-wise operations write over an operand that nobody needs any more.
//! Gives the size of the buffer; computes nothing else.
//!
//! Source: `ggml-alloc.c` of llama.cpp (`ggml_gallocr_alloc_graph_impl`, `ggml_dyn_tallocr_alloc`).
//! Sizes are 128-bit, so that no header can make them overflow.

/// Index of a result in its graph.
pub(super) type Id = usize;

/// Who owns a result's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Device {
    /// The processor.
    Host,
    /// The graphics card.
    Gpu,
}

/// How a result comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Filled in by the caller before the graph runs.
    Input,
    /// Needs memory of its own.
    Fresh,
    /// May overwrite an operand of its own size.
    InPlace,
    /// Goes into a buffer that is there already (the KV cache).
    Store,
}

#[derive(Clone, Debug)]
struct Node {
    kind: Kind,
    bytes: u128,
    sources: Vec<Id>,
    device: Device,
    /// Read after the graph has run, or never read: its memory is not given back.
    kept: bool,
}

/// A graph in the order it is computed.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    device: Device,
}

impl Graph {
    pub(super) fn new() -> Self {
        Self { nodes: Vec::new(), device: Device::Host }
    }

    /// Where the operations that follow are computed.
    pub(super) fn compute_on(&mut self, device: Device) {
        self.device = device;
    }

    /// A value that the caller fills in.
    pub(super) fn input(&mut self, bytes: u128) -> Id {
        self.push(Kind::Input, bytes, &[])
    }

    /// An operation whose result needs memory of its own.
    pub(super) fn fresh(&mut self, bytes: u128, sources: &[Id]) -> Id {
        self.push(Kind::Fresh, bytes, sources)
    }

    /// An element-wise operation.
    pub(super) fn in_place(&mut self, bytes: u128, sources: &[Id]) -> Id {
        self.push(Kind::InPlace, bytes, sources)
    }

    /// An operation that writes into a buffer outside of the graph.
    pub(super) fn store(&mut self, sources: &[Id]) {
        self.push(Kind::Store, 0, sources);
    }

    /// Marks a result that stays.
    pub(super) fn keep(&mut self, id: Id) {
        self.nodes[id].kept = true;
    }

    fn push(&mut self, kind: Kind, bytes: u128, sources: &[Id]) -> Id {
        let device = if kind == Kind::Input { Device::Host } else { self.device };
        self.nodes.push(Node { kind, bytes, sources: sources.to_vec(), device, kept: false });
        self.nodes.len() - 1
    }

    /// Bytes of the buffer on `device`, whose allocations begin at multiples of `alignment`.
    ///
    /// What one device reads and another computed is copied, and the copies are there from the start.
    pub(super) fn buffer_bytes(&self, device: Device, alignment: u128) -> u128 {
        let mut uses = vec![0_usize; self.nodes.len()];
        let here = |node: &Node| node.device == device;
        for node in self.nodes.iter().filter(|node| here(node)) {
            node.sources.iter().for_each(|&source| uses[source] += 1);
        }
        let mut arena = Arena::new(alignment);
        let mut places: Vec<Option<u128>> = vec![None; self.nodes.len()];
        for (id, node) in self.nodes.iter().enumerate() {
            let is_copy = node.device != device && uses[id] > 0;
            if is_copy || (here(node) && node.kind == Kind::Input) {
                places[id] = Some(arena.take(node.bytes));
            }
        }
        for (id, node) in self.nodes.iter().enumerate().filter(|(_, node)| here(node)) {
            places[id] = match node.kind {
                Kind::Input => continue,
                Kind::Store => None,
                Kind::Fresh => Some(arena.take(node.bytes)),
                Kind::InPlace => {
                    let reused = node.sources.iter().find(|&&source| {
                        let parent = &self.nodes[source];
                        uses[source] == 1 && !parent.kept && parent.bytes == node.bytes
                    });
                    match reused.and_then(|&source| places[source].take()) {
                        Some(place) => Some(place),
                        None => Some(arena.take(node.bytes)),
                    }
                }
            };
            for &source in &node.sources {
                uses[source] -= 1;
                let parent = &self.nodes[source];
                if uses[source] == 0
                    && !parent.kept
                    && let Some(place) = places[source].take()
                {
                    arena.give_back(place, parent.bytes);
                }
            }
        }
        arena.peak
    }
}

/// Free gaps of an endless buffer, by offset; the last one has no end.
struct Arena {
    alignment: u128,
    gaps: Vec<(u128, u128)>,
    end: u128,
    peak: u128,
}

impl Arena {
    fn new(alignment: u128) -> Self {
        Self { alignment, gaps: Vec::new(), end: 0, peak: 0 }
    }

    /// Offset of `bytes` bytes: in the smallest gap that holds them (the last of equals), else at
    /// the end.
    fn take(&mut self, bytes: u128) -> u128 {
        let bytes = bytes.next_multiple_of(self.alignment);
        let mut best: Option<usize> = None;
        for (index, &(_, size)) in self.gaps.iter().enumerate() {
            if size >= bytes && best.is_none_or(|best| size <= self.gaps[best].1) {
                best = Some(index);
            }
        }
        let Some(index) = best else {
            let place = self.end;
            self.end += bytes;
            self.peak = self.peak.max(self.end);
            return place;
        };
        let (place, size) = self.gaps[index];
        if size == bytes {
            self.gaps.remove(index);
        } else {
            self.gaps[index] = (place + bytes, size - bytes);
        }
        place
    }

    fn give_back(&mut self, place: u128, bytes: u128) {
        let bytes = bytes.next_multiple_of(self.alignment);
        let at = self.gaps.partition_point(|&(offset, _)| offset < place);
        self.gaps.insert(at, (place, bytes));
        if let Some(&(next, size)) = self.gaps.get(at + 1)
            && place + bytes == next
        {
            self.gaps[at].1 += size;
            self.gaps.remove(at + 1);
        }
        if at > 0 && self.gaps[at - 1].0 + self.gaps[at - 1].1 == self.gaps[at].0 {
            self.gaps[at - 1].1 += self.gaps[at].1;
            self.gaps.remove(at);
        }
        if let Some(&(offset, size)) = self.gaps.last()
            && offset + size == self.end
        {
            self.end = offset;
            self.gaps.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(build: impl FnOnce(&mut Graph), want: u128) {
        let mut graph = Graph::new();
        build(&mut graph);
        assert_eq!(graph.buffer_bytes(Device::Host, 32), want);
    }

    #[test]
    fn an_element_wise_operation_writes_over_its_operand() {
        let build = |graph: &mut Graph| {
            let a = graph.input(64);
            let b = graph.in_place(64, &[a]);
            graph.keep(b);
        };
        check(build, 64);
    }

    #[test]
    fn an_operand_that_is_needed_again_is_not_overwritten() {
        let build = |graph: &mut Graph| {
            let a = graph.input(64);
            let b = graph.in_place(64, &[a]);
            let c = graph.in_place(64, &[b, a]);
            graph.keep(c);
        };
        check(build, 128);
    }

    #[test]
    fn a_gap_is_used_before_the_buffer_grows() {
        let build = |graph: &mut Graph| {
            let a = graph.fresh(96, &[]);
            let b = graph.fresh(32, &[a]);
            // `a` is free again: 96 bytes in front of `b`.
            let c = graph.fresh(64, &[b]);
            graph.keep(c);
        };
        check(build, 128);
    }

    #[test]
    fn sizes_are_rounded_up_to_the_alignment() {
        let build = |graph: &mut Graph| {
            let a = graph.fresh(1, &[]);
            let b = graph.fresh(33, &[a]);
            graph.keep(b);
        };
        check(build, 96);
    }

    #[test]
    fn stores_take_no_room_and_free_what_they_read() {
        let build = |graph: &mut Graph| {
            let a = graph.fresh(64, &[]);
            graph.store(&[a]);
            let b = graph.fresh(64, &[]);
            graph.keep(b);
        };
        check(build, 64);
    }

    #[test]
    fn what_another_device_computed_is_copied() {
        let mut graph = Graph::new();
        let a = graph.fresh(64, &[]);
        graph.compute_on(Device::Gpu);
        let b = graph.fresh(128, &[a]);
        graph.keep(b);
        assert_eq!(graph.buffer_bytes(Device::Host, 32), 64);
        assert_eq!(graph.buffer_bytes(Device::Gpu, 128), 256);
    }
}
