//! JSON as Python's values, and Python's values as [`Data`]. Reads only exact built-in types, so that no code of the program runs
//! while its results are read.

use rustpython_vm::builtins::{PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyStr, PyTuple};
use rustpython_vm::{AsObject, PyObjectRef, PyResult, VirtualMachine};
use serde_json::Value;

use super::protocol::Data;

/// Deepest nesting that is read; lists can hold themselves.
const DEEPEST: usize = 50;

/// Most values that are read.
const MOST: usize = 100_000;

/// A JSON value as an object; whole numbers become integers.
pub(crate) fn object(value: &Value, vm: &VirtualMachine) -> PyResult {
    let object = match value {
        Value::Null => vm.ctx.none(),
        Value::Bool(value) => vm.ctx.new_bool(*value).into(),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => vm.ctx.new_int(number).into(),
            (None, Some(number)) => vm.ctx.new_int(number).into(),
            (None, None) => vm.ctx.new_float(number.as_f64().unwrap_or(f64::NAN)).into(),
        },
        Value::String(text) => vm.ctx.new_str(text.as_str()).into(),
        Value::Array(items) => {
            let items = items.iter().map(|item| object(item, vm)).collect::<PyResult<_>>()?;
            vm.ctx.new_list(items).into()
        }
        Value::Object(pairs) => {
            let dict = vm.ctx.new_dict();
            for (key, value) in pairs {
                dict.set_item(key.as_str(), object(value, vm)?, vm)?;
            }
            dict.into()
        }
    };
    Ok(object)
}

/// The value of an object.
pub(crate) fn data(object: &PyObjectRef, vm: &VirtualMachine) -> Data {
    let mut left = MOST;
    value(object, DEEPEST, &mut left, vm)
}

fn value(object: &PyObjectRef, depth: usize, left: &mut usize, vm: &VirtualMachine) -> Data {
    if depth == 0 || *left == 0 {
        return Data::Other("a value without end".to_owned());
    }
    *left -= 1;
    if vm.is_none(object) {
        return Data::None;
    }
    if object.class().is(vm.ctx.types.bool_type) {
        return Data::Bool(object.is(&vm.ctx.true_value));
    }
    if let Some(number) = object.downcast_ref_if_exact::<PyInt>(vm) {
        return Data::Int(number.as_bigint().to_string());
    }
    if let Some(number) = object.downcast_ref_if_exact::<PyFloat>(vm) {
        return Data::Float(format!("{:?}", number.to_f64()));
    }
    if let Some(text) = object.downcast_ref_if_exact::<PyStr>(vm) {
        return Data::Str(text.to_string_lossy().into_owned());
    }
    let mut items = |objects: Vec<PyObjectRef>| -> Vec<Data> {
        objects.iter().map(|item| value(item, depth - 1, left, vm)).collect()
    };
    if let Some(list) = object.downcast_ref_if_exact::<PyList>(vm) {
        return Data::List(items(list.borrow_vec().to_vec()));
    }
    if let Some(tuple) = object.downcast_ref_if_exact::<PyTuple>(vm) {
        return Data::Tuple(items(tuple.to_vec()));
    }
    if let Some(set) = object.downcast_ref_if_exact::<PySet>(vm) {
        return Data::Set(items(set.elements()));
    }
    if let Some(set) = object.downcast_ref_if_exact::<PyFrozenSet>(vm) {
        return Data::Set(items(set.elements()));
    }
    if let Some(dict) = object.downcast_ref::<PyDict>() {
        let (keys, values): (Vec<_>, Vec<_>) = dict.items_vec().into_iter().unzip();
        let keys = items(keys);
        return Data::Dict(keys.into_iter().zip(items(values)).collect());
    }
    Data::Other(super::guard::class_name(object))
}
