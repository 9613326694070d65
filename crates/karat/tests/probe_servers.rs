//! `karat probe` over servers from end to end, on scripted ones: builds that answer alike, builds that
//! do not, servers that go away.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;
mod run_document;
mod scripted_builds;
mod scripted_server;

use std::fs;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cli_lab::{ORIGINAL, Place, lab};
use run_document::{check_exit, check_number, findings, rows};
use scripted_builds::{
    Answer, at_rate, check_what_was_asked, ollama, ollama_of, openai, timings, usage,
};
use scripted_server::{Request, Server, reply};
use serde_json::{Value, json};

/// 97.5 % quantile of Student's t with 7 degrees of freedom, by its closed form.
const T: f64 = 2.364_624_251_592_784_6;

/// `karat probe` of models on this Ollama.
fn probe<'a>(
    place: &Place,
    server: &Server,
    args: impl IntoIterator<Item = &'a str>,
) -> assert_cmd::Command {
    let mut command = place.karat(["probe", "--answer-timeout", "30"]);
    command.env("OLLAMA_HOST", &server.base).args(args);
    command
}

#[test]
fn builds_that_answer_alike_are_compared_by_the_server_s_own_clock() {
    let place = Place::new();
    // The nth answer of b is in block n; a is asked twice a block and always takes as long.
    let rates = [125.0, 126.0, 124.0, 125.5, 124.5, 127.0, 123.0, 125.0];
    let server = ollama(move |model, nth| {
        Some(at_rate(if model == "a" { 100.0 } else { rates[nth as usize - 1] }))
    });
    let (text, said) = check_exit(&mut probe(&place, &server, ["ollama:a", "ollama:b"]), 0);
    assert!(said.contains("speed: 24 answers in "), "{said}");
    let document = place.document();
    let logs = rates.map(|rate| (rate / 100.0_f64).ln());
    let mean = logs.iter().sum::<f64>() / 8.0;
    let sd = (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / 7.0).sqrt();
    let half = T * sd / 8.0_f64.sqrt();
    let ratio = rows(&document, "tg_rate_ratio")[0];
    assert_eq!((&ratio["candidate"], &ratio["versus"]), (&"ollama:b".into(), &"ollama:a".into()));
    assert_eq!((&ratio["n"], &ratio["setting"]["clock"]), (&8.into(), &"server".into()));
    assert_eq!(ratio["setting"]["unit"], "load");
    check_number(&ratio["value"], mean.exp());
    check_number(&ratio["lo"], (mean - half).exp());
    check_number(&ratio["hi"], (mean + half).exp());
    let own = rows(&document, "tg_rate");
    check_number(&own[0]["value"], 100.0);
    check_number(&own[1]["value"], 100.0 * mean.exp());
    check_number(&rows(&document, "noise_floor_tg_rate_ratio")[0]["value"], 1.0);
    check_number(&rows(&document, "pp_rate")[0]["value"], 100.0);
    check_number(&rows(&document, "visible_tokens")[1]["value"], 100.0);
    for metric in ["ttft", "ttfo", "response_seconds"] {
        assert_eq!(rows(&document, metric).len(), 2, "{metric}");
        assert_eq!(rows(&document, &format!("{metric}_ratio")).len(), 1, "{metric}");
    }
    let claims = document["claims"].to_string();
    assert!(claims.contains("ollama:b generates 25.0 %"), "{claims}");
    for part in ["Speed over servers, count to 120", "times ollama:a", "Ollama 0.12.6"] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/schema/run.schema.json")).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&document));
    check_what_was_asked(&server, 8);
}

#[test]
fn a_model_that_is_there_already_is_loaded_afresh() {
    let place = Place::new();
    let server = ollama(|_, _| Some(at_rate(100.0)));
    let load = json!({ "model": "a", "options": { "num_ctx": 4096 } }).to_string();
    let url = format!("{}/api/generate", server.base);
    ureq::post(&url).send(load).unwrap();
    check_exit(&mut probe(&place, &server, ["ollama:a", "--quiet"]), 0);
    let first = &server.bodies("/api/generate")[1];
    assert_eq!(first["keep_alive"], 0, "the one that was there has to go: {first}");
}

#[test]
fn builds_whose_texts_part_are_not_compared() {
    let place = Place::new();
    let server = ollama(|model, _| {
        let mut answer = at_rate(if model == "mix" { 90.0 } else { 100.0 });
        if model == "mix" {
            answer.text.push_str("\nDone.");
            answer.tokens = 104;
        }
        Some(answer)
    });
    let models = ["ollama:qat", "ollama:plain", "ollama:mix", "--format", "markdown"];
    let (text, _) = check_exit(&mut probe(&place, &server, models), 0);
    let document = place.document();
    let ratios = rows(&document, "tg_rate_ratio");
    assert_eq!(ratios.len(), 1, "those two that answered alike");
    assert_eq!(ratios[0]["candidate"], "ollama:plain");
    for metric in ["response_seconds_ratio", "ttft_ratio", "pp_rate_ratio"] {
        assert_eq!(rows(&document, metric).len(), 1, "{metric}");
    }
    assert_eq!(rows(&document, "tg_rate").len(), 3, "each one's own rate stands");
    let findings = findings(&document);
    let told = "ollama:qat and ollama:mix did not complete the same visible tokens (100 and 104 in \
                block 1): after \"1, 2, 3, 4\" the first ends and the second goes on with \
                \"\\nDone.\". They are not compared; each one's own rates stand. Nor is ollama:mix \
                compared with ollama:plain.";
    assert!(findings.contains(told), "{findings}");
    assert!(!document["claims"].to_string().contains("mix"), "nothing is claimed of it");
    assert!(text.contains("did not complete the same visible tokens"), "{text}");
}

#[test]
fn the_same_text_in_other_tokens_is_not_compared() {
    let place = Place::new();
    let server = ollama(|model, _| {
        Some(Answer { tokens: if model == "a" { 100 } else { 101 }, ..at_rate(100.0) })
    });
    check_exit(&mut probe(&place, &server, ["ollama:a", "ollama:b", "--quiet"]), 0);
    let document = place.document();
    assert!(rows(&document, "tg_rate_ratio").is_empty());
    let findings = findings(&document);
    assert!(findings.contains("(100 and 101 in block 1): their texts are the same"), "{findings}");
}

#[test]
fn a_build_that_does_not_repeat_itself_is_told() {
    let place = Place::new();
    let server = ollama(|model, nth| {
        let mut answer = at_rate(100.0);
        if model == "b" && nth == 5 {
            answer.text = "1, 2, three".to_owned();
        }
        Some(answer)
    });
    check_exit(&mut probe(&place, &server, ["ollama:a", "ollama:b", "--quiet"]), 0);
    let document = place.document();
    let findings = findings(&document);
    let told = "ollama:b does not repeat itself: of its answers in blocks 1 and 5, after \"1, 2, \" \
                the first goes on with \"3, 4\" and the second goes on with \"three\"";
    assert!(findings.contains(told), "{findings}");
    assert!(findings.contains("(100 and 100 in block 5)"), "{findings}");
    assert!(rows(&document, "tg_rate_ratio").is_empty());
    assert_eq!(rows(&document, "noise_floor_tg_rate_ratio").len(), 1, "a repeats itself");
}

#[test]
fn a_server_that_dies_costs_its_blocks_and_the_same_command_goes_on() {
    let place = Place::new();
    let n_answers = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&n_answers);
    let server =
        ollama(move |_, _| (count.fetch_add(1, Ordering::SeqCst) < 10).then(|| at_rate(100.0)));
    let models = ["ollama:a", "ollama:b"];
    let (text, said) = check_exit(&mut probe(&place, &server, models), 3);
    assert_eq!(place.stored("sample"), 10);
    assert_eq!(n_answers.load(Ordering::SeqCst), 12, "gone after two requests in a row");
    assert!(said.contains("later blocks were not asked for"), "{said}");
    assert!(text.contains("of 8 blocks; its figures are of those"), "{text}");
    let document = place.document();
    let failed = document["steps"].to_string();
    assert!(failed.contains("closed the connection without a reply"), "{failed}");
    assert!(rows(&document, "tg_rate")[0]["n"].as_u64().unwrap() < 8);
    let healthy = ollama(|_, _| Some(at_rate(100.0)));
    let (plan, _) = check_exit(probe(&place, &healthy, models).arg("--dry-run"), 0);
    assert!(plan.contains("24 answers; 14 to ask for"), "{plan}");
    let (_, said) = check_exit(&mut probe(&place, &healthy, models), 0);
    assert!(said.contains("speed: 14 answers in "), "{said}");
    assert_eq!(rows(&place.document(), "tg_rate")[0]["n"], 8);
    let (_, said) = check_exit(&mut probe(&place, &healthy, models), 0);
    assert!(said.contains("speed: 24 answers in "), "a complete run is asked anew: {said}");
}

#[test]
fn another_model_behind_the_name_begins_a_new_series() {
    let (place, models) = (Place::new(), ["ollama:a", "ollama:b"]);
    let stumbling = ollama(|model, nth| (model, nth).ne(&("b", 3)).then(|| at_rate(100.0)));
    check_exit(&mut probe(&place, &stumbling, models), 3);
    let other = ollama_of("other", |_, _| Some(at_rate(100.0)));
    let (_, said) = check_exit(&mut probe(&place, &other, models), 0);
    assert!(said.contains("speed: 24 answers in "), "{said}");
}

#[test]
fn a_request_that_fails_costs_its_block_alone() {
    let place = Place::new();
    let server = ollama(|model, nth| (model, nth).ne(&("b", 3)).then(|| at_rate(100.0)));
    let (_, said) = check_exit(&mut probe(&place, &server, ["ollama:a", "ollama:b"]), 3);
    assert!(
        said.contains("warning: speed of ollama:b: count to 120; 8 blocks: block 3: "),
        "{said}"
    );
    let document = place.document();
    assert_eq!(place.stored("sample"), 23);
    let ratio = rows(&document, "tg_rate_ratio")[0];
    assert_eq!(ratio["n"], 7);
    check_number(&ratio["value"], 1.0);
    let ns: Vec<&Value> = rows(&document, "tg_rate").iter().map(|row| &row["n"]).collect();
    assert_eq!(ns, [8, 7]);
}

#[test]
fn format_and_build_are_told_apart_where_the_server_names_formats() {
    let place = Place::new();
    // The published control probe.
    let server = ollama(|model, _| {
        let rate = [("qat", 42.9), ("plain", 38.4), ("mix", 33.2)];
        rate.into_iter().find(|(name, _)| *name == model).map(|(_, rate)| at_rate(rate))
    });
    let models = ["ollama:qat", "ollama:plain", "ollama:mix", "--qat", "ollama:qat", "--quiet"];
    check_exit(&mut probe(&place, &server, models), 0);
    let document = place.document();
    let share = rows(&document, "format_share")[0];
    let whole = (42.9_f64 / 33.2).ln();
    let got = share["value"].as_f64().unwrap();
    assert!((got - (38.4_f64 / 33.2).ln() / whole).abs() < 1e-6, "{share}");
    assert_eq!(rows(&document, "build_and_recipe_share").len(), 1);
    let findings = findings(&document);
    assert!(
        findings.contains("(ollama:qat Q4_0, ollama:plain Q4_0, ollama:mix Q4_K_M)"),
        "{findings}"
    );
}

#[test]
fn a_model_that_cannot_but_think_has_its_thinking_counted_apart() {
    let place = Place::new();
    let server =
        ollama(|_, _| Some(Answer { thinking: "Counting it is.".to_owned(), ..at_rate(100.0) }));
    // Ollama names the levels that this model knows; none of them is off.
    let show = "{\"capabilities\":[\"thinking\"],\"thinking\":{\"values\":[\"low\",\"high\"]}}";
    let base = server.base.clone();
    let front = Server::start(move |request: &Request| {
        if request.path == "/api/show" {
            return reply(200, show);
        }
        let url = format!("{base}{}", request.path);
        let passed = if request.method == "GET" {
            ureq::get(&url).call()
        } else {
            ureq::post(&url).send(&request.body)
        };
        reply(200, passed.unwrap().body_mut().read_to_string().unwrap())
    });
    check_exit(&mut probe(&place, &front, ["ollama:a", "--quiet"]), 0);
    let document = place.document();
    let findings = findings(&document);
    assert!(findings.contains("thinking could not be switched off"), "{findings}");
    let counts = ["visible_tokens", "thinking_tokens"]
        .map(|metric| rows(&document, metric)[0]["value"].as_f64().unwrap());
    assert!(counts[1] > 0.0 && (counts[0] + counts[1] - 100.0).abs() < 1e-9, "{counts:?}");
    assert_eq!(rows(&document, "thinking_tokens")[0]["setting"]["split"], "estimated");
    check_number(&rows(&document, "tg_rate")[0]["value"], 100.0);
}

#[test]
fn builds_that_think_apart_are_compared_by_rate_and_not_by_time() {
    let place = Place::new();
    let server = ollama(|model, _| {
        let thinking = if model == "b" { "Let me count." } else { "" };
        Some(Answer { thinking: thinking.to_owned(), ..at_rate(100.0) })
    });
    check_exit(&mut probe(&place, &server, ["ollama:a", "ollama:b", "--quiet"]), 0);
    let document = place.document();
    let has = |metric: &str| rows(&document, metric).len();
    assert_eq!((has("tg_rate_ratio"), has("pp_rate_ratio"), has("ttft_ratio")), (1, 1, 1));
    assert_eq!((has("ttfo_ratio"), has("response_seconds_ratio")), (0, 0));
    let findings = findings(&document);
    assert!(findings.contains("ollama:a and ollama:b did not think the same"), "{findings}");
    assert!(
        findings.contains("thinking was switched off, and 1 of 2 answers thought"),
        "{findings}"
    );
}

#[test]
fn drift_falls_on_all_models_alike() {
    let place = Place::new();
    let server = ollama(|model, nth| {
        let block = if model == "a" { (nth - 1) / 2 } else { nth - 1 };
        Some(Answer { finish: "length", ..at_rate(100.0 * 1.01_f64.powi(block as i32)) })
    });
    check_exit(&mut probe(&place, &server, ["ollama:a", "ollama:b", "--quiet"]), 0);
    let document = place.document();
    check_number(&rows(&document, "tg_rate_ratio")[0]["value"], 1.0);
    check_number(&rows(&document, "tg_rate")[0]["value"], 100.0 * 1.01_f64.powf(3.5));
    let findings = findings(&document);
    assert!(findings.contains("all models became 7.2 % faster from the first"), "{findings}");
    assert!(findings.contains("ollama:a, ollama:b: cut off at 1024 tokens"), "{findings}");
}

#[test]
fn on_another_s_process_the_unit_is_the_request() {
    let place = Place::new();
    let (one, other) = (openai(timings()), openai(timings()));
    let [one, other] = [&one, &other].map(|server| format!("{}/v1#m", server.base));
    check_exit(&mut place.karat(["probe", &one, &other, "--qat", &one, "--quiet"]), 0);
    let document = place.document();
    let own = rows(&document, "tg_rate");
    check_number(&own[0]["value"], 30.0);
    assert_eq!(own[0]["setting"]["unit"], "request");
    check_number(&rows(&document, "pp_rate")[1]["value"], 500.0);
    let findings = findings(&document);
    assert!(findings.contains("the unit is the request"), "{findings}");
    assert!(findings.contains("format, build and recipe are not told apart"), "{findings}");
    check_number(&rows(&document, "tg_rate_ratio")[0]["value"], 1.0);
    let page = check_exit(&mut place.karat(["report", "--format", "html"]), 0).0;
    assert!(page.contains("Speed over servers") && page.ends_with("</html>\n"));
}

#[test]
fn rates_of_one_table_have_one_clock() {
    let place = Place::new();
    let (one, other) = (openai(timings()), openai(usage()));
    let [one, other] = [&one, &other].map(|server| format!("{}/v1#m", server.base));
    check_exit(&mut place.karat(["probe", &one, &other, "--quiet"]), 0);
    let document = place.document();
    for row in rows(&document, "tg_rate") {
        assert_eq!(row["setting"]["clock"], "pieces", "{row}");
        // Five tokens came after the first one and a pause of 30 ms, whatever the client made of it.
        assert!(row["value"].as_f64().unwrap() <= 1000.0, "{row}");
    }
    let of_prompts = rows(&document, "pp_rate");
    let host = one.split('/').nth(2).unwrap();
    let named = format!("{host}#m");
    assert_eq!((of_prompts.len(), &of_prompts[0]["candidate"]), (1, &named.into()));
}

#[test]
fn a_server_that_counts_nothing_has_times_and_no_rate() {
    let place = Place::new();
    let server = openai(json!({}));
    let name = format!("{}/v1#m", server.base);
    check_exit(&mut place.karat(["probe", &name, "--quiet"]), 0);
    let document = place.document();
    let has = |metric: &str| rows(&document, metric).len();
    assert_eq!((has("tg_rate"), has("visible_tokens"), has("response_seconds")), (0, 0, 1));
    let findings = findings(&document);
    assert!(findings.contains("no rate for want of a count of tokens"), "{findings}");
}

#[test]
fn a_dry_run_asks_no_model() {
    let place = Place::new();
    let server = ollama(|_, _| Some(at_rate(100.0)));
    fs::write(place.path("abc.txt"), " Recite the alphabet.\n").unwrap();
    let args = ["ollama:a", "ollama:b", "--prompt", "abc.txt", "--ctx", "2k"];
    let (plan, _) = check_exit(probe(&place, &server, args).arg("--dry-run"), 0);
    for part in
        ["8 blocks", "each freshly loaded", "asked: abc;", "24 to ask for", "2048", "unknown"]
    {
        assert!(plan.contains(part), "`{part}` is not in\n{plan}");
    }
    assert_eq!((server.bodies("/api/chat"), server.bodies("/api/generate")), (vec![], vec![]));
    assert_eq!(place.stored("run"), 0);
    check_exit(probe(&place, &server, args).arg("--quiet"), 0);
    assert_eq!(rows(&place.document(), "tg_rate")[0]["scope"], "abc");
    let sent = &server.bodies("/api/chat")[1];
    assert_eq!(sent["messages"][0]["content"], "Recite the alphabet.");
    assert_eq!(sent["options"]["num_ctx"], 2048);
    let (plan, _) = check_exit(probe(&place, &server, args).arg("--dry-run"), 0);
    assert!(plan.contains("(from earlier answers)"), "{plan}");
}

#[test]
fn what_makes_no_sense_over_servers_is_refused() {
    let (place, original) = (Place::new(), lab(ORIGINAL));
    let file = original.to_str().unwrap();
    let refused = |args: &[&str], what: &str| {
        let mut command = place.karat(["probe"]);
        place.check_refused(command.args(args), what);
    };
    refused(&[file, "ollama:a"], "would run on the embedded engine and `ollama:a` on its server");
    refused(&["ollama:a", "--kv", "q8_0"], "--kv is for files");
    refused(&["ollama:a", "--pp", "16"], "--pp is for files");
    refused(&[file, "--ctx", "4k"], "--ctx is for models on servers");
    refused(&["ollama:a", "ollama:a"], "`ollama:a` is given twice");
    refused(&["ollama:a", "--qat", "ollama:b"], "--qat ollama:b is not among the models");
    refused(&[file, "--qat", "ollama:b"], "--qat ollama:b is not among the models");
    refused(&["ollama:a", "--max-tokens", "4k"], "--max-tokens 4096 leaves no room");
    refused(&["ollama:a", "--blocks", "6"], "--blocks 6 is too few");
    refused(&["ollama:a", "--prompt", "nosuch.txt"], "cannot read text `nosuch.txt`");
    refused(&["ollama:"], "names no model of Ollama's");
    refused(&["ollama:a", "--prompt", "."], "`.` is no regular file");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    refused(&[&format!("http://{nobody}/v1#a")], "start the server, or give its address");
    fs::write(place.path("empty.txt"), " \n").unwrap();
    refused(&["ollama:a", "--prompt", "empty.txt"], "--prompt `empty.txt` is empty");
}
