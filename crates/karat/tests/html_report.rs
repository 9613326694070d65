//! The HTML report as a reader has it: opened in a headless Chromium.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]
#![cfg(unix)]

mod chromium;
mod html_page;
mod html_sample;
mod report_sample;

use std::fs;
use std::path::PathBuf;

use html_page::{DESKTOP, PHONE, html, opened};
use html_sample::{HOSTILE, hostile, with_every_instrument};
use karat::record::RunDocument;
use report_sample::document;
use serde_json::{Value, json};

#[test]
fn the_report_opens_without_a_complaint_and_without_the_network() {
    let mut page = opened(&with_every_instrument());
    assert_eq!(page.words("[document.title]"), ["3 builds against base-bf16 · karat"]);
    page.check_quiet();
}

/// What a column of the table called `sorted` shows, row by row, intervals left out.
fn column(column: usize) -> String {
    format!(
        "[...document.querySelector('#sorted').tBodies[0].rows].map(
           (row) => row.cells[{column}].innerText.split('\\n')[0].trim())"
    )
}

#[test]
fn clicking_a_header_sorts_by_number_and_says_so() {
    let mut page = opened(&with_every_instrument());
    let kld = 3;
    page.browser.evaluate(
        "[...document.querySelectorAll('#tables table')].find((table) =>
           table.caption.textContent.startsWith('english, against base-bf16')).id = 'sorted'",
    );
    let header = format!("#sorted thead th:nth-child({}) button", kld + 1);
    let sort = "[...document.querySelectorAll('#sorted thead th')].map((h) => h.ariaSort)";
    assert_eq!(page.words(&column(kld)), ["—", "10.56", "0.587", "18.56", "6.46"]);
    page.browser.click(&header);
    assert_eq!(page.words(&column(kld)), ["0.587", "6.46", "10.56", "18.56", "—"]);
    assert_eq!(page.words(sort), ["none", "none", "none", "ascending", "none"]);
    let builds = page.words(&column(0));
    assert_eq!(builds, ["base-Q8_0", "qat-Q4_0", "qat-bf16", "base-Q4_0", "base-bf16"]);
    page.browser.click(&header);
    assert_eq!(page.words(&column(kld)), ["18.56", "10.56", "6.46", "0.587", "—"]);
    assert_eq!(page.words(sort)[kld], "descending");
    page.browser.evaluate("document.querySelector('#sorted thead th button').focus()");
    page.browser.press("Enter");
    assert_eq!(page.words(&column(0))[0], "base-bf16", "words sort as words");
    assert_eq!(page.words(sort), ["ascending", "none", "none", "none", "none"]);
    page.check_quiet();
}

#[test]
fn pointing_at_a_mark_or_focusing_it_tells_interval_and_n() {
    let mut page = opened(&with_every_instrument());
    let tip = "(() => { const t = document.querySelector('.tip');
                 return t.hidden ? [] : t.innerText.split('\\n'); })()";
    assert_eq!(page.words(tip), Vec::<String>::new());
    page.browser.hover("#size .mark .dot");
    let said = page.words(tip);
    assert_eq!(
        said,
        [
            "base-Q8_0",
            "5.26 MB, 8.52 bits per weight",
            "KLD mean 0.587 [0.563, 0.611] 10⁻³ nats on english",
            "95 % interval, n = 60 windows"
        ]
    );
    let stops = "[...document.querySelectorAll('#size svg')].map(
                   (svg) => svg.querySelectorAll('[tabindex=\"0\"]').length)";
    assert_eq!(page.browser.evaluate(stops), json!([1, 1]), "one tab stop per drawing");
    page.browser.evaluate("document.querySelector('#size .mark').focus()");
    page.browser.press("ArrowRight");
    assert_eq!(page.words(tip)[0], "base-Q4_0 (twin)");
    let inside = "(() => { const b = document.querySelector('.tip').getBoundingClientRect();
                    return [b.left >= 0 && b.right <= innerWidth, b.width > 40]; })()";
    assert_eq!(page.browser.evaluate(inside), json!([true, true]));
    page.browser.press("Escape");
    assert_eq!(page.words(tip), Vec::<String>::new());
}

#[track_caller]
fn check_fits_a_phone(doc: &RunDocument) {
    let mut page = opened(doc);
    for theme in ["light", "dark"] {
        page.browser.emulate(PHONE, theme, "screen");
        page.browser.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)");
        let wide = page.words(
            "[...document.querySelectorAll('body *')].filter((e) => !e.closest('.scroll, svg, .skip')
               && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 300))",
        );
        assert_eq!(wide, Vec::<String>::new(), "{theme}");
        let (width, room) =
            (page.number("document.scrollingElement.scrollWidth"), page.number("innerWidth"));
        assert!(width <= room && (room - 390.0).abs() < 0.5, "{theme}: {width} in {room}");
        let least = page.number(
            "Math.min(...[...document.querySelectorAll('svg text')].map(
               (t) => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a))",
        );
        assert!(least >= 9.0, "the smallest label is {least} px high");
    }
    page.check_quiet();
}

#[test]
fn a_phone_shows_it_without_scrolling_sideways() {
    check_fits_a_phone(&with_every_instrument());
}

#[test]
fn hostile_names_do_not_break_a_phone_either() {
    check_fits_a_phone(&hostile());
}

#[test]
fn dark_mode_is_dark() {
    let mut page = opened(&document());
    let background = "getComputedStyle(document.body).backgroundColor";
    assert_eq!(page.browser.evaluate(background), json!("rgb(255, 255, 255)"));
    page.browser.emulate(DESKTOP, "dark", "screen");
    assert_eq!(page.browser.evaluate(background), json!("rgb(18, 20, 23)"));
}

#[test]
fn paper_gets_everything_in_black_on_white() {
    let mut page = opened(&with_every_instrument());
    page.browser.emulate((794, 1123), "dark", "print");
    assert_eq!(
        page.browser.evaluate("getComputedStyle(document.body).backgroundColor"),
        json!("rgb(255, 255, 255)")
    );
    let hidden = page.words(
        "[...document.querySelectorAll('table')].filter((t) => t.getBoundingClientRect().height < 20)
           .map((t) => t.caption.textContent)",
    );
    assert_eq!(hidden, Vec::<String>::new(), "what is folded on a screen is printed");
    assert_eq!(
        page.browser.evaluate("getComputedStyle(document.querySelector('nav')).display"),
        json!("none")
    );
    // A rectangle per line of text.
    let broken = page.words(
        "[...document.querySelectorAll('.worst .scope')].filter((cell) => {
           const range = document.createRange(); range.selectNodeContents(cell);
           return range.getClientRects().length > 1; }).map((cell) => cell.textContent)",
    );
    assert_eq!(broken, Vec::<String>::new(), "words are not broken");
    let pdf = page.browser.call("Page.printToPDF", &json!({}));
    assert!(pdf["data"].as_str().unwrap().starts_with("JVBERi0"), "a PDF begins with %PDF-");
}

#[test]
fn hostile_strings_stay_text() {
    let mut page = opened(&hostile());
    assert_eq!(page.browser.evaluate("window.pwned ?? null"), Value::Null);
    let elements = "[document.scripts.length, document.images.length, document.links.length > 0,
                     document.querySelectorAll('[onerror]').length]";
    assert_eq!(page.browser.evaluate(elements), json!([1, 0, true, 0]));
    let shown = page.words("[document.body.innerText]").remove(0);
    assert!(
        shown.contains(r"<img src=x onerror=window.pwned=1>\u{202e}fdp\u{1b}[2J${7*7}"),
        "{shown}"
    );
    let text = html(&hostile());
    assert!(HOSTILE.contains('\u{202e}') && !text.contains(['\u{202e}', '\u{1b}']));
    page.check_quiet();
}

#[test]
fn what_smuggles_itself_in_is_stopped_by_the_policy() {
    let mut page = opened(&document());
    page.browser.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=\"https://example.invalid/x\">');
         const s = document.createElement('script'); s.textContent = 'window.pwned = 1'; document.body.append(s)",
    );
    assert_eq!(page.browser.evaluate("window.pwned ?? null"), Value::Null);
    let complaints = page.browser.complaints().join("\n");
    assert!(
        complaints.contains("Content Security Policy"),
        "the watch on complaints works: {complaints}"
    );
}

#[test]
fn assistive_technology_finds_names_scopes_and_one_of_each_id() {
    let mut page = opened(&with_every_instrument());
    for (what, script) in [
        (
            "drawings without title and description",
            "[...document.querySelectorAll('svg')].filter((s) => !s.querySelector(':scope > title')?.textContent || !s.querySelector(':scope > desc')?.textContent)",
        ),
        (
            "marks without a name",
            "[...document.querySelectorAll('.mark')].filter((m) => !m.getAttribute('aria-label'))",
        ),
        ("headers without a scope", "[...document.querySelectorAll('th')].filter((h) => !h.scope)"),
        (
            "tables without a caption",
            "[...document.querySelectorAll('table')].filter((t) => !t.caption?.textContent.trim())",
        ),
        (
            "columns without a sort state",
            "[...document.querySelectorAll('thead th')].filter((h) => !h.ariaSort || !h.querySelector('button'))",
        ),
        (
            "ids used twice",
            "[...document.querySelectorAll('[id]')].filter((e) => document.querySelectorAll('#' + CSS.escape(e.id)).length > 1)",
        ),
        (
            "links to nowhere",
            "[...document.querySelectorAll('a')].filter((a) => !document.querySelector(a.getAttribute('href')))",
        ),
    ] {
        let found = page.words(&format!("{script}.map((e) => e.outerHTML.slice(0, 200))"));
        assert_eq!(found, Vec::<String>::new(), "{what}");
    }
}

/// Pictures of a report, to look at: `KARAT_PICTURES=FOLDER [KARAT_REPORT=FILE.html] cargo test -p karat
/// --test html_report -- --ignored pictures`. `docs/report.png` is the one called `size` of the demo's
/// report.
#[test]
#[ignore = "makes pictures, checks nothing"]
fn pictures() {
    let folder = PathBuf::from(std::env::var_os("KARAT_PICTURES").unwrap());
    let mut page = opened(&with_every_instrument());
    if let Some(report) = std::env::var_os("KARAT_REPORT") {
        page.browser.open(&fs::canonicalize(report).unwrap());
    }
    for (name, size, theme) in [
        ("desktop-light", DESKTOP, "light"),
        ("desktop-dark", DESKTOP, "dark"),
        ("phone-light", PHONE, "light"),
        ("phone-dark", PHONE, "dark"),
    ] {
        page.browser.emulate(size, theme, "screen");
        let shot = json!({"captureBeyondViewport": true, "format": "png"});
        let whole = page.browser.call("Page.captureScreenshot", &shot);
        write(&folder.join(format!("{name}.png")), &whole);
    }
    page.browser.emulate((1000, 900), "light", "screen");
    // The first plot alone: from its heading to the end of its panels.
    let clip = page.browser.evaluate(
        "(() => { const at = (part) => document.querySelector(part).getBoundingClientRect();
           const top = at('#size h2').top + scrollY - 10;
           const bottom = at('#size .panels').bottom + scrollY + 15;
           return {x: 0, y: top, width: 1000, height: Math.round(bottom - top), scale: 1}; })()",
    );
    let shot = json!({"captureBeyondViewport": true, "format": "png", "clip": clip});
    let size = page.browser.call("Page.captureScreenshot", &shot);
    write(&folder.join("size.png"), &size);
    page.browser.emulate(DESKTOP, "light", "");
    let pdf = page.browser.call("Page.printToPDF", &json!({"preferCSSPageSize": true}));
    write(&folder.join("print.pdf"), &pdf);
}

fn write(file: &std::path::Path, answer: &Value) {
    use base64::Engine as _;
    let data = answer["data"].as_str().unwrap();
    fs::write(file, base64::engine::general_purpose::STANDARD.decode(data).unwrap()).unwrap();
}
