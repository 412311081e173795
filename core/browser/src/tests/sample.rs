//! The sample extension.

use super::run;
use std::path::Path;

#[test]
fn the_sample_talks_to_every_frame() {
    let run = run(&[], &[]);
    assert!(run.went_well, "{:?}", run.errors());

    // 2,001 messages to each of four and then two frames, and as many back.
    let summary = run.summary();
    assert_eq!(summary["posts"], 2_001 * (1 + 4) + 2_001 * (1 + 2));
    assert_eq!(summary["deliveries"], 2_001 * (4 + 4) + 2_001 * (2 + 2));
    assert_eq!((&summary["connects"], &summary["accepts"]), (&2.into(), &6.into()));
    assert_eq!(summary["disconnects"], serde_json::json!({ "the other side's tab was closed": 1 }));
    assert_eq!(summary["stopped"], false);
    // News and its comments, ads and pay, video and shop; and the background.
    assert_eq!(summary["threads"], 4);

    let mut heard = run.console("background");
    let disconnected =
        heard.iter().position(|text| *text == "disconnected: no error").expect("tab 1 was closed");
    heard.remove(disconnected);
    heard[..disconnected].sort_unstable();
    heard[disconnected..].sort_unstable();
    assert_eq!(
        heard,
        [
            "heard: Hi from ads.example.net/",
            "heard: Hi from news.example.com/",
            "heard: Hi from news.example.com/comments",
            "heard: Hi from video.example.org/",
            "heard: Hi from pay.example.net/",
            "heard: Hi from shop.example.org/",
        ]
    );
}

#[test]
fn the_sample_is_an_unpacked_extension_like_any_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sample-extension");
    let folder = folder.to_str().expect("UTF-8");
    let run = run(&[], &["--extension", folder, "--page", "https://www.example.org/", "--click"]);
    assert!(run.went_well, "{:?}", run.errors());
    assert_eq!(run.console("background"), ["heard: Hi from www.example.org/"]);
}
