//! The edge's bundles: `target/edge/workers/` and `target/edge/cloudfront/`, each with exactly what is uploaded.

use crate::{
    edge_config::EdgeConfig,
    journeys::Bundles,
    machine::{Repo, Stopwatch, say},
    node::{Shrinkers, hex},
    site::relative,
    wasm_toolchain::{TARGET, WasmToolchain},
};
use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use walrus::Module;
use wasm_bindgen_cli_support::Bindgen;

/// What a host may have to load, brotli: CPU time of a cold start grows with it.
pub const BUDGET_BYTES: usize = 400_000;

/// A host of the edge.
struct Host {
    /// Folder under `edge/` and `target/edge/`.
    name: &'static str,
    package: &'static str,
    /// What cargo calls the module.
    module: &'static str,
    /// The name under which the host's script imports wasm-bindgen's glue.
    glue: &'static str,
    /// The host's scripts, the entry first.
    scripts: &'static [&'static str],
    /// Whether it knows Wasm's exceptions in their final form, with which wasm-bindgen notices what ends an instance. Node does from 24 on;
    /// Lambda@Edge may run an older one, and its script looks at what is thrown.
    has_exceptions: bool,
}

const WORKERS: Host =
    Host { name: "workers", package: "edge-workers", module: "edge_workers.wasm", glue: "edge.js", scripts: &["worker.mjs"], has_exceptions: true };
const CLOUDFRONT: Host = Host {
    name: "cloudfront",
    package: "edge-cloudfront",
    module: "edge_cloudfront.wasm",
    glue: "glue.js",
    scripts: &["handler.mjs", "edge.mjs"],
    has_exceptions: false,
};

/// Runs in the viewer request, apart from the bundle.
const VIEWER_FUNCTION: &str = "cloudfront-function.js";
/// CloudFront's runtime knows ECMAScript 5.1 and some of what is newer, but no `catch` without a name:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html>.
const VIEWER_LANGUAGE: &str = "es2018";
/// Date of workerd's behaviour; the newest that the pinned workerd knows, or older.
pub const COMPATIBILITY_DATE: &str = "2026-04-01";

/// Everything, and how large it is.
pub fn build(repo: &Repo, toolchain: &WasmToolchain, config: &EdgeConfig) -> Result<Bundles> {
    Ok(Bundles { workers: workers(repo, toolchain, config)?, cloudfront: cloudfront(repo, toolchain, config)? })
}

/// One ES module, the Wasm beside it, and what `wrangler deploy` needs to know.
pub fn workers(repo: &Repo, toolchain: &WasmToolchain, config: &EdgeConfig) -> Result<PathBuf> {
    let shrinkers = shrinkers(repo)?;
    let work = bound(repo, toolchain, &shrinkers, &WORKERS)?;
    let out = fresh(repo, WORKERS.name)?;
    let options = ["--external:./edge.wasm", "--external:cloudflare:*"].map(str::to_owned);
    shrinkers.bundle(&work.join(WORKERS.scripts[0]), &out.join("worker.js"), &options)?;
    std::fs::copy(work.join("edge.wasm"), out.join("edge.wasm"))?;
    let settings = serde_json::json!({
        "name": "nextgen-edge",
        "main": "worker.js",
        "no_bundle": true,
        "compatibility_date": COMPATIBILITY_DATE,
        "rules": [{ "type": "CompiledWasm", "globs": ["*.wasm"] }],
        "vars": { "EDGE_CONFIG": config.json()?.to_string() },
    });
    std::fs::write(out.join("wrangler.json"), serde_json::to_string_pretty(&settings)?)?;
    tell_size(repo, &out, &["worker.js", "edge.wasm"])?;
    Ok(out)
}

/// The handler as one ES module, its configuration beside it (Lambda@Edge has no variables), the Wasm, and the viewer function.
pub fn cloudfront(repo: &Repo, toolchain: &WasmToolchain, config: &EdgeConfig) -> Result<PathBuf> {
    let shrinkers = shrinkers(repo)?;
    let work = bound(repo, toolchain, &shrinkers, &CLOUDFRONT)?;
    // The handler imports what wraps the glue as `./edge.js`.
    std::fs::rename(work.join("edge.mjs"), work.join("edge.js"))?;
    let out = fresh(repo, CLOUDFRONT.name)?;
    let options = ["--platform=node", "--target=node20", "--external:./edge.wasm"].map(str::to_owned);
    shrinkers.bundle(&work.join(CLOUDFRONT.scripts[0]), &out.join("index.mjs"), &options)?;
    std::fs::copy(work.join("edge.wasm"), out.join("edge.wasm"))?;
    std::fs::write(out.join("config.json"), serde_json::to_string_pretty(&config.json_with_key()?)?)?;
    std::fs::write(out.join(VIEWER_FUNCTION), shrinkers.minify(&repo.at("edge/cloudfront").join(VIEWER_FUNCTION), Some(VIEWER_LANGUAGE))?)?;
    tell_size(repo, &out, &["index.mjs", "edge.wasm"])?;
    Ok(out)
}

/// Compiles, binds and shrinks; leaves `edge.wasm`, the glue and the host's scripts in a folder of their own.
fn bound(repo: &Repo, toolchain: &WasmToolchain, shrinkers: &Shrinkers, host: &Host) -> Result<PathBuf> {
    say(&format!("compiling {}", host.package));
    toolchain.build(repo, host.package)?;
    let module = std::fs::read(repo.at("target").join(TARGET).join("browser").join(host.module))?;
    let work = repo.at("target/edge-files").join(host.name);
    std::fs::create_dir_all(&work)?;
    let mut key = Sha256::new();
    key.update(&module);
    key.update(shrinkers.identity());
    // What is done to a module stands in this file.
    key.update(include_str!("edge.rs"));
    let key = hex(&key.finalize());
    let made = work.join("made");
    if std::fs::read_to_string(&made).ok().as_deref() != Some(key.as_str()) {
        let _old = std::fs::remove_file(&made);
        bind(&module, &work, host)?;
        say(&format!("shrinking the Wasm of {}", host.package));
        let watch = Stopwatch::start();
        shrinkers.wasm_opt(&work.join("bound_bg.wasm"), &work.join("edge.wasm"))?;
        say(&format!("Wasm shrunk in {}", watch.seconds()));
        std::fs::write(&made, key)?;
    }
    for script in host.scripts {
        let source = repo.at("edge").join(host.name).join(script);
        std::fs::copy(&source, work.join(script)).with_context(|| format!("copying {}", source.display()))?;
    }
    Ok(work)
}

/// A view can do more than be written as text: be built in a browser's document and change there, be resolved and streamed. A view of any type
/// keeps a pointer to each of these for every type that it may have, so no linker drops them, and at an edge, which renders whole pages,
/// nobody calls them. Their bodies become a trap, and what only they reached goes with them: a quarter of the module. Should one be called
/// after all, the host's script passes the request to the origin, and the tests, which compare every kind of page with the origin's, fail.
fn drop_unused_views(module: &mut Module) -> usize {
    let unused: Vec<_> =
        module.funcs.iter().filter(|function| function.name.as_deref().is_some_and(is_unused_view)).map(walrus::Function::id).collect();
    let mut dropped = 0;
    for id in unused {
        let walrus::FunctionKind::Local(local) = &module.funcs.get(id).kind else { continue };
        let arguments = local.args.clone();
        let (parameters, results) = module.types.params_results(local.ty());
        let (parameters, results) = (parameters.to_vec(), results.to_vec());
        let mut trap = walrus::FunctionBuilder::new(&mut module.types, &parameters, &results);
        trap.func_body().unreachable();
        module.funcs.get_mut(id).kind = walrus::FunctionKind::Local(trap.local_func(arguments));
        dropped += 1;
    }
    dropped
}

/// Whether a function is one of those, by its mangled name: `…tachys…` and the method behind its length, or a future that it makes.
fn is_unused_view(name: &str) -> bool {
    const METHODS: [&str; 13] = [
        "5build",
        "7rebuild",
        "5mount",
        "7unmount",
        "9mount_any",
        "11unmount_any",
        "18insert_before_this",
        "8elements",
        "7resolve",
        "11dry_resolve",
        "13to_html_async",
        "17to_html_async_ooo",
        "22to_html_async_with_buf",
    ];
    // Names end with a hash: `17h`, 16 digits, `E`.
    let Some(path) = name.len().checked_sub(20).and_then(|end| name.get(..end)) else { return false };
    let path = path.trim_end_matches("28_$u7b$$u7b$closure$u7d$$u7d$");
    let is_method = METHODS.iter().any(|method| path.ends_with(method));
    let is_future = path.contains("drop_in_place") && path.contains("..resolve..$u7b$$u7b$closure");
    // Views alone wait for several futures at once.
    let is_join = ["future..maybe_done..MaybeDone", "future..join..Join", "future..join_all..JoinAll"].iter().any(|join| path.contains(join));
    path.contains("tachys") && (is_method || is_future) || path.contains("futures_util") && is_join
}

/// The `web` target, because its glue takes a module that somebody else loaded, and can start anew after a panic.
fn bind(module: &[u8], work: &Path, host: &Host) -> Result<()> {
    let mut module = Module::from_buffer(module).context("reading the compiled module")?;
    let dropped = drop_unused_views(&mut module);
    ensure!(dropped > 0, "no view's unused code was found: has its name changed in a newer tachys?");
    say(&format!("{dropped} functions of views that no edge calls are dropped"));
    let mut bindgen = Bindgen::new();
    bindgen
        .input_module("bound", module)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .reset_state_function(true)
        .force_enable_abort_handler(host.has_exceptions);
    bindgen.generate(work).context("wasm-bindgen")?;
    std::fs::rename(work.join("bound.js"), work.join(host.glue)).context("the glue")
}

fn shrinkers(repo: &Repo) -> Result<Shrinkers> {
    Shrinkers::find(repo).context("the edge's bundles need Node 20 and npm (esbuild joins their scripts)")
}

fn fresh(repo: &Repo, name: &str) -> Result<PathBuf> {
    let out = repo.at("target/edge").join(name);
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    std::fs::create_dir_all(&out)?;
    Ok(out)
}

fn tell_size(repo: &Repo, out: &Path, files: &[&str]) -> Result<()> {
    let sizes: Vec<usize> = files.iter().map(|file| packed_bytes(&out.join(file))).collect::<Result<_>>()?;
    let each: Vec<String> = files.iter().zip(&sizes).map(|(file, size)| format!("{file} {}", kilobytes(*size))).collect();
    let sum: usize = sizes.iter().sum();
    say(&format!("{}: {} brotli ({}; budget {})", relative(repo, out), kilobytes(sum), each.join(", "), kilobytes(BUDGET_BYTES)));
    Ok(())
}

/// Bytes of a file in brotli.
pub fn packed_bytes(file: &Path) -> Result<usize> {
    Ok(crate::assets::brotli_of(&std::fs::read(file)?)?.len())
}

fn kilobytes(bytes: usize) -> String {
    format!("{}.{} kB", bytes / 1000, bytes % 1000 / 100)
}
