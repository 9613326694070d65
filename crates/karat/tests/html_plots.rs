//! The plots of the HTML report, as a headless Chromium draws them.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]
#![cfg(unix)]

mod chromium;
mod html_page;
mod html_sample;
mod report_sample;

use html_page::{html, opened};
use html_sample::with_every_instrument;
use karat::record::RunDocument;
use report_sample::document;
use serde_json::json;

#[test]
fn every_plot_is_there_and_lies_inside_its_drawing() {
    let mut page = opened(&with_every_instrument());
    // Two texts; two rates at two depths; two KV types.
    for (plot, panels) in [
        ("size", 2),
        ("spread", 2),
        ("position", 1),
        ("speed", 4),
        ("memory", 2),
        ("passed", 3),
        ("budget", 1),
    ] {
        let svgs = page.number(&format!("document.querySelectorAll('#{plot} svg').length"));
        assert_eq!(svgs as usize, panels, "{plot}");
        assert!(page.check_geometry(plot, "text") > 4, "{plot}");
    }
    // English has three builds and Polish two; a diamond, a square and circles among them.
    assert_eq!(page.check_geometry("size", ".mark .dot"), 5);
    assert_eq!(page.check_geometry("size", ".mark .whisker"), 5);
    // The second reference was measured against the first as well.
    assert_eq!(page.check_geometry("spread", ".outline"), 7);
    assert_eq!(page.check_geometry("position", ".mark .dot"), 12);
    assert_eq!(page.check_geometry("position", ".outline"), 3);
    assert_eq!(page.check_geometry("speed", ".mark .dot"), 16);
    // Four builds, predicted and measured, four parts, two KV types.
    assert_eq!(page.check_geometry("memory", ".part"), 64);
    page.check_quiet();
}

#[test]
fn a_build_has_one_colour_in_all_plots() {
    let mut page = opened(&with_every_instrument());
    let colors = page.words(
        "[...new Set([...document.querySelectorAll('.mark')]
           .filter((mark) => mark.getAttribute('aria-label').startsWith('qat-Q4_0'))
           .map((mark) => getComputedStyle(mark).getPropertyValue('--c')))]",
    );
    assert_eq!(colors.len(), 1, "{colors:?}");
    let all = "new Set([...document.querySelectorAll('#size .mark')]
                 .map((mark) => getComputedStyle(mark).getPropertyValue('--c'))).size";
    assert!((page.number(all) - 3.0).abs() < 0.5, "three builds, three colours");
}

#[test]
fn the_name_of_a_line_stands_apart_from_lines_and_names_in_the_lines_colour() {
    let mut doc = with_every_instrument();
    // Two lines that end almost in one point.
    for row in &mut doc.estimates {
        if row.setting.contains_key("position") && row.candidate == "qat-Q4_0" {
            row.value = row.value.map(|value| value * 2.9);
        }
    }
    let mut page = opened(&doc);
    for (plot, n_lines) in [("position", 3), ("budget", 4)] {
        page.browser.evaluate(&format!(
            "window.series = [...document.querySelectorAll('#{plot} .series')];
             window.right = (part) => part.getBoundingClientRect().right;
             window.lines = [...document.querySelectorAll('#{plot} .outline')]"
        ));
        let names = page.words("series.map((one) => one.querySelector('.name').textContent)");
        assert_eq!(names.len(), n_lines, "{plot}");
        let apart = "series.map((one) => one.querySelector('.name').getBoundingClientRect())
                       .every((name, i, names) => name.left > Math.max(...lines.map(right))
                         && (i === 0 || name.top >= names[i - 1].bottom - 4))";
        assert_eq!(page.browser.evaluate(apart), json!(true), "{plot}");
        for name in names {
            let color = |of: &str| format!("getComputedStyle({of}).getPropertyValue('--c')");
            let mark = format!("document.querySelector('#{plot} .mark[aria-label^=\"{name}\"]')");
            let own = format!("series.find((one) => one.textContent === '{name}')");
            let [mark, own] = [mark, own].map(|of| page.browser.evaluate(&color(&of)));
            assert_eq!(mark, own, "{plot}: {name}");
        }
    }
    page.check_quiet();
}

#[test]
fn a_legend_says_what_the_tints_of_memory_stand_for() {
    let mut page = opened(&with_every_instrument());
    let said = page
        .words("[...document.querySelectorAll('#memory .legend li')].map((li) => li.innerText)");
    assert_eq!(said, ["weights", "KV cache", "compute", "output", "predicted"]);
    let tints = "['weights', 'kv', 'compute', 'output'].map((part) => [
                   getComputedStyle(document.querySelector(`#memory .swatch.${part}`)).opacity,
                   getComputedStyle(document.querySelector(`#memory rect.${part}`)).fillOpacity])";
    let tints = page.browser.evaluate(tints);
    assert_eq!(tints, json!([["1", "1"], ["0.6", "0.6"], ["0.35", "0.35"], ["0.18", "0.18"]]));
}

#[test]
fn a_plot_speaks_of_bands_where_there_are_any() {
    let mut doc = with_every_instrument();
    let bands = "bands are the intervals";
    assert!(html(&doc).contains(bands));
    for row in doc.estimates.iter_mut().filter(|row| row.setting.contains_key("position")) {
        (row.lo, row.hi, row.level) = (None, None, None);
    }
    let page = html(&doc);
    assert!(page.contains("<section id=\"position\"") && !page.contains(bands));
    assert!(page.contains("of 3 builds by position."));
}

#[test]
fn what_was_not_measured_has_no_plot() {
    let plots = ["size", "spread", "position", "speed", "memory", "passed", "budget"];
    let drawn = |doc: &RunDocument| {
        let page = html(doc);
        plots
            .into_iter()
            .filter(|plot| page.contains(&format!("<section id=\"{plot}\"")))
            .collect::<Vec<_>>()
    };
    assert_eq!(drawn(&with_every_instrument()), plots);
    assert_eq!(drawn(&document()), ["size", "spread"]);
    let mut doc = document();
    doc.distributions.clear();
    assert_eq!(drawn(&doc), ["size"]);
    doc.estimates.clear();
    assert_eq!(drawn(&doc), Vec::<&str>::new());
}

#[test]
fn impossible_figures_leave_no_broken_drawing() {
    let values = [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e-300, 1e300];
    for (i, value) in values.into_iter().enumerate() {
        let mut doc = with_every_instrument();
        for (j, row) in doc.estimates.iter_mut().enumerate() {
            if (i + j) % 3 != 0 {
                (row.value, row.lo, row.hi) = (Some(value), Some(value), None);
            }
        }
        for spread in &mut doc.distributions {
            (spread.bins_per_decade, spread.lowest) = (0, value);
        }
        let page = html(&doc);
        let drawings = page.split("<svg").skip(1).map(|part| part.split("</svg>").next().unwrap());
        for drawing in drawings {
            assert!(!drawing.contains("NaN") && !drawing.contains("inf "), "{value}: {drawing}");
        }
    }
}
