// jsii's runtime in one process instead of two, with a cache of compiled code and modules loaded ahead of their use.
//
// jsii starts Node to start another Node, and copies every message between them; and since it links the library into a
// folder of another name each time, Node never finds the code that it compiled before. Here the program of jsii itself,
// unchanged, speaks to Python directly (it uses file descriptor 3 for that), and the folder keeps its place relative to
// the cache, which is all that Node's portable cache looks at.
"use strict";

const fs = require("fs");
const module_ = require("module");
const os = require("os");
const path = require("path");
const threads = require("worker_threads");

// jsii makes an index of a library's types in the background, once per user; without it each start reads all of them,
// which takes half a gigabyte. Where the program is packed for Python, the file that does so has another name.
const { Worker } = threads;
threads.Worker = class extends Worker {
  constructor(file, ...rest) {
    const packed = path.join(path.dirname(file), `lib__${path.basename(file)}`);
    super(fs.existsSync(file) ? file : packed, ...rest);
  }
};

const API = 3; // where jsii's program reads requests and writes answers
const { readSync, writeSync, mkdtempSync } = fs;
const cache = process.env.LZ_JSII_CACHE;
const room = mkdtempSync(path.join(os.tmpdir(), "lz-jsii-"));
const kernel = path.join(room, "kernel");

fs.readSync = (fd, ...rest) => {
  if (fd !== API) return readSync(fd, ...rest);
  return readAhead(...rest) ?? readSync(0, ...rest);
};
fs.writeSync = (fd, ...rest) => writeSync(fd === API ? 1 : fd, ...rest);

// Node opens its own pipes so that a write takes what fits, or nothing: a long list of findings does not fit.
function writeWhole(text) {
  const bytes = Buffer.from(text);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let start = 0; start < bytes.length; ) {
    try {
      start += writeSync(2, bytes, start);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(pause, 0, 0, 1); // a millisecond: Python reads on
    }
  }
}

// What the program prints goes to Python in the form that jsii's first process would give it.
for (const name of ["stdout", "stderr"]) {
  process[name].write = (chunk, encoding, callback) => {
    const text = Buffer.from(chunk, typeof encoding === "string" ? encoding : undefined).toString("base64");
    writeWhole(JSON.stringify({ [name]: text }) + "\n");
    const done = typeof encoding === "function" ? encoding : callback;
    if (done) process.nextTick(done);
    return true;
  };
}

try {
  fs.mkdirSync(cache, { recursive: true });
  fs.accessSync(cache, fs.constants.W_OK);
  fs.symlinkSync(cache, path.join(room, "cache"));
  module_.enableCompileCache({ directory: path.join(room, "cache"), portable: true });
} catch {
  // Somebody else's installation: without the cache, then.
}
fs.mkdtempSync = (prefix, ...rest) => {
  if (!prefix.endsWith("jsii-kernel-")) return mkdtempSync(prefix, ...rest);
  fs.mkdirSync(kernel);
  return kernel;
};

// While Python imports its modules, Node would wait: it loads what the last synthesis loaded, in the same order, until
// Python asks for something. The list is remade where a synthesis loaded more.
const list = path.join(cache, "modules.json");
let known = [];
try {
  known = JSON.parse(fs.readFileSync(list, "utf8"));
} catch {
  // The first run here.
}
const ahead = [...known];
// A core that sleeps takes longer to wake up than Python takes to the next request: so look for it for a moment.
const MOMENT = Number(process.env.LZ_JSII_MOMENT ?? 0); // milliseconds
let requests; // the same pipe, opened so that reading does not wait

function readAhead(buffer, ...rest) {
  if (!mayLoad() && !MOMENT) return undefined;
  try {
    requests ??= fs.openSync("/proc/self/fd/0", fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch {
    ahead.length = 0; // a system without /proc
    return undefined;
  }
  const started = performance.now();
  for (;;) {
    const { stackTraceLimit } = Error;
    try {
      Error.stackTraceLimit = 0; // "nothing yet" is an error here, and a trace is most of what it costs
      return readSync(requests, buffer, ...rest);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
    if (!mayLoad()) {
      if (performance.now() - started < MOMENT) continue;
      return undefined;
    }
    try {
      require(path.join(kernel, ahead.shift()));
    } catch {
      ahead.length = 0; // another version of the library: the list is remade at the end
    }
  }
}

function mayLoad() {
  return ahead.length > 0 && loaded(ahead[0]);
}

function loaded(module) {
  // jsii links a package into its folder when Python imports it.
  return fs.existsSync(path.join(kernel, module));
}

function remember() {
  const inside = Object.keys(require.cache).filter((file) => file.startsWith(kernel + path.sep));
  const used = inside.map((file) => path.relative(kernel, file));
  const kept = known.filter((module) => !used.includes(module) && loaded(module));
  if (used.every((module) => known.includes(module)) || !fs.existsSync(path.join(room, "cache"))) return;
  const draft = `${list}.${process.pid}`;
  fs.writeFileSync(draft, JSON.stringify([...used, ...kept]));
  fs.renameSync(draft, list);
}

// Ctrl-C reaches this process too; Python, which asked for the work, ends it by closing the pipe.
process.on("SIGINT", () => {});
process.on("exit", () => {
  try {
    remember();
  } finally {
    module_.flushCompileCache();
    fs.rmSync(room, { recursive: true, force: true });
  }
});

require(process.env.LZ_JSII_PROGRAM);
