//! From predictions and measurements to rows. Pure.

use std::collections::BTreeMap;

use crate::memory::{DeviceBytes, Prediction};
use crate::plan::{MemoryCase, MemoryPlan};
use crate::record::{Estimate, Instrument, Unit};
use crate::worker::MemoryReply;

/// The engine's name of the processor.
const HOST: &str = "CPU";
/// All devices together.
const ALL: &str = "all";

/// Rows of one case: the prediction's, then the measurement's.
pub fn rows(plan: &MemoryPlan, case: &MemoryCase, reply: Option<&MemoryReply>) -> Vec<Estimate> {
    let mut rows = Vec::new();
    if let Some(prediction) = &case.prediction {
        let devices = predicted(plan, prediction);
        device_rows(plan, case, "predicted", &devices, &mut rows);
    }
    if let Some(reply) = reply {
        device_rows(plan, case, "measured", &measured(reply), &mut rows);
        for (metric, bytes) in
            [("resident_bytes", reply.resident_bytes), ("overhead_bytes", reply.overhead_bytes)]
        {
            if let Some(bytes) = bytes {
                rows.push(row(plan, case, ("measured", HOST), metric, bytes));
            }
        }
    }
    rows
}

fn predicted(plan: &MemoryPlan, prediction: &Prediction) -> BTreeMap<String, DeviceBytes> {
    let mut devices = BTreeMap::from([(HOST.to_owned(), prediction.host)]);
    if prediction.gpu != DeviceBytes::default() {
        devices.insert(plan.gpu_name(), prediction.gpu);
    }
    devices
}

fn measured(reply: &MemoryReply) -> BTreeMap<String, DeviceBytes> {
    let mut devices: BTreeMap<String, DeviceBytes> = BTreeMap::new();
    for buffer in &reply.buffers {
        let device = devices.entry(buffer.device.clone()).or_default();
        device.weights += buffer.weights;
        device.kv += buffer.kv;
        device.compute += buffer.compute;
    }
    devices.entry(HOST.to_owned()).or_default().output += reply.output_bytes;
    devices
}

fn device_rows(
    plan: &MemoryPlan,
    case: &MemoryCase,
    basis: &'static str,
    devices: &BTreeMap<String, DeviceBytes>,
    rows: &mut Vec<Estimate>,
) {
    let mut all = DeviceBytes::default();
    for bytes in devices.values() {
        all.weights = all.weights.saturating_add(bytes.weights);
        all.kv = all.kv.saturating_add(bytes.kv);
        all.compute = all.compute.saturating_add(bytes.compute);
        all.output = all.output.saturating_add(bytes.output);
    }
    let devices = devices.iter().map(|(name, bytes)| (name.as_str(), *bytes));
    for (scope, bytes) in devices.chain([(ALL, all)]) {
        let mut add = |metric, bytes| rows.push(row(plan, case, (basis, scope), metric, bytes));
        add("weights_bytes", bytes.weights);
        add("kv_bytes", bytes.kv);
        add("compute_bytes", bytes.compute);
        add("output_bytes", bytes.output);
        if let Some(total) = bytes.checked_total() {
            add("total_bytes", total);
        }
    }
}

fn row(
    plan: &MemoryPlan,
    case: &MemoryCase,
    (basis, scope): (&str, &str),
    metric: &str,
    bytes: u64,
) -> Estimate {
    let mut setting = plan.setting(case);
    setting.insert("basis".to_owned(), basis.to_owned());
    Estimate {
        instrument: Instrument::Memory,
        metric: metric.to_owned(),
        candidate: plan.models[case.model].name.clone(),
        reference: None,
        versus: None,
        scope: scope.to_owned(),
        setting,
        value: Some(bytes as f64),
        lo: None,
        hi: None,
        level: None,
        n: 1,
        unit: Unit::Bytes,
    }
}
