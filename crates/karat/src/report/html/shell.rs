//! The page around everything: head, policy, title, navigation, order of the sections.
//! Owns the shell; says nothing about the run that `content` does not say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::block;
use super::plot;
use super::view::View;
use super::worst;
use crate::record::{ModelRole, RunDocument};
use crate::report::content;
use crate::report::page::Page;
use crate::visible::visible;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The whole document.
pub(super) fn page(doc: &RunDocument) -> Markup {
    let view = View::new(doc);
    let title = title(doc);
    let figures = plot::figures(&view);
    let worst = worst::section(&view);
    let sections = [
        ("summary", "In short", content::summary(doc)),
        ("models", "What was compared", content::opening(doc)),
        ("tables", "All figures", content::figures(doc)),
        ("origin", "Where this comes from", content::footer(doc)),
    ];
    let [summary, models, tables, origin] = sections.map(|(id, heading, blocks)| Section {
        id,
        heading,
        markup: section(id, heading, &blocks),
        is_empty: blocks.is_empty(),
    });
    let plots = figures.iter().map(|figure| (figure.id, figure.heading));
    let links = summary
        .link()
        .into_iter()
        .chain(plots)
        .chain(worst.as_ref().map(|_| worst::PLACE))
        .chain([&models, &tables, &origin].into_iter().filter_map(Section::link));
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(&title))
            body {
                a.skip href="#main" { "Skip to the report" }
                header {
                    p.kicker { "karat report · run " (visible(&doc.run.id)) }
                    h1 { (visible(&title)) }
                    p.lede { (visible(&basis(doc))) }
                    nav aria-label="Sections" { @for (id, heading) in links { a href={ "#" (id) } { (heading) } " " } }
                }
                main id="main" tabindex="-1" {
                    (summary.markup)
                    @for figure in &figures { (figure.markup()) }
                    @if let Some(worst) = &worst { (worst) }
                    (models.markup)
                    (tables.markup)
                    (origin.markup)
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// A section with its place in the navigation.
struct Section {
    id: &'static str,
    heading: &'static str,
    markup: Markup,
    is_empty: bool,
}

impl Section {
    fn link(&self) -> Option<(&'static str, &'static str)> {
        (!self.is_empty).then_some((self.id, self.heading))
    }
}

fn section(id: &str, heading: &str, blocks: &Page) -> Markup {
    html! {
        @if !blocks.is_empty() {
            section id=(id) aria-labelledby={ (id) "-h" } {
                h2 id={ (id) "-h" } { (heading) }
                (block::markup(blocks))
            }
        }
    }
}

fn head(title: &str) -> Markup {
    // Nothing but the page's own style and script: no network, and no script that a name in the
    // report could smuggle in.
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="referrer" content="no-referrer";
            title { (visible(title)) " · karat" }
            style { (PreEscaped(STYLE)) }
        }
    }
}

/// As a content security policy names an inline source.
fn hash(source: &str) -> String {
    STANDARD.encode(Sha256::digest(source.as_bytes()))
}

fn title(doc: &RunDocument) -> String {
    let of = |role| doc.models.iter().filter(move |model| model.role == role);
    let n = of(ModelRole::Candidate).count();
    let builds = format!("{n} build{}", if n == 1 { "" } else { "s" });
    match of(ModelRole::Reference).next() {
        Some(original) => format!("{builds} against {}", original.name),
        None => builds,
    }
}

/// What was measured where, in a line.
fn basis(doc: &RunDocument) -> String {
    let texts: Vec<&str> = doc.texts.iter().map(|text| text.name.as_str()).collect();
    let texts = if texts.is_empty() { String::new() } else { format!("on {}, ", texts.join(", ")) };
    let day = doc.run.started.split('T').next().unwrap_or_default();
    format!("{texts}{day}, {}", doc.machine.cpu)
}
