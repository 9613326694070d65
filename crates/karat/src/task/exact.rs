//! Exact decimal arithmetic for expected answers: nothing here goes through binary fractions.

use minijinja::value::{Rest, Value};
use minijinja::{Error, ErrorKind};
use rust_decimal::{Decimal, RoundingStrategy};

/// A number of a template as a decimal: an integer, a decimal written as text, or a literal such as
/// `0.23`, which counts as it is written.
pub(super) fn decimal(value: &Value) -> Result<Decimal, Error> {
    let text = value.to_string();
    text.parse().map_err(|_| wrong(format!("`{text}` is no decimal number")))
}

/// A decimal as a template gets it: text without superfluous zeros.
fn text(number: Decimal) -> String {
    number.normalize().to_string()
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

fn fold(
    numbers: &[Value],
    name: &str,
    step: impl Fn(Decimal, Decimal) -> Option<Decimal>,
) -> Result<String, Error> {
    let mut numbers = numbers.iter().map(decimal);
    let first = numbers.next().ok_or_else(|| wrong(format!("`{name}` needs numbers")))??;
    let result = numbers.try_fold(first, |so_far, number| {
        step(so_far, number?).ok_or_else(|| wrong(format!("`{name}` has no exact result")))
    })?;
    Ok(text(result))
}

/// The functions `add`, `sub`, `mul`, `div`, `total` and the filter `places`.
pub(super) fn add(env: &mut minijinja::Environment<'_>) {
    env.add_function("add", |numbers: Rest<Value>| fold(&numbers, "add", Decimal::checked_add));
    env.add_function("sub", |numbers: Rest<Value>| fold(&numbers, "sub", Decimal::checked_sub));
    env.add_function("mul", |numbers: Rest<Value>| fold(&numbers, "mul", Decimal::checked_mul));
    env.add_function("div", |a: Value, b: Value| {
        let (a, b) = (decimal(&a)?, decimal(&b)?);
        let quotient = a.checked_div(b).ok_or_else(|| wrong("`div` by zero"))?;
        if quotient.checked_mul(b) != Some(a) {
            return Err(wrong(format!("`div({a}, {b})` has no exact result; use `quotient`")));
        }
        Ok(text(quotient))
    });
    env.add_function("quotient", |a: Value, b: Value, places: u32| {
        let quotient =
            decimal(&a)?.checked_div(decimal(&b)?).ok_or_else(|| wrong("`quotient` by zero"))?;
        let rule = RoundingStrategy::MidpointAwayFromZero;
        Ok::<_, Error>(text(quotient.round_dp_with_strategy(places, rule)))
    });
    env.add_function("total", |list: Value| {
        let numbers: Vec<Value> = list.try_iter()?.collect();
        if numbers.is_empty() {
            Ok("0".to_owned())
        } else {
            fold(&numbers, "total", Decimal::checked_add)
        }
    });
    env.add_filter("places", |number: Value, places: u32| {
        let mut number = decimal(&number)?;
        number.rescale(places);
        Ok::<_, Error>(number.to_string())
    });
}
