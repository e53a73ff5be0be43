// jsii's runtime in one process instead of two, with a cache of compiled code.
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

fs.readSync = (fd, ...rest) => readSync(fd === API ? 0 : fd, ...rest);
fs.writeSync = (fd, ...rest) => writeSync(fd === API ? 1 : fd, ...rest);

// What the program prints goes to Python in the form that jsii's first process would give it.
for (const name of ["stdout", "stderr"]) {
  process[name].write = (chunk, encoding, callback) => {
    const text = Buffer.from(chunk, typeof encoding === "string" ? encoding : undefined).toString("base64");
    writeSync(2, JSON.stringify({ [name]: text }) + "\n");
    const done = typeof encoding === "function" ? encoding : callback;
    if (done) process.nextTick(done);
    return true;
  };
}

const cache = process.env.LZ_JSII_CACHE;
const room = mkdtempSync(path.join(os.tmpdir(), "lz-jsii-"));
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
  const kernel = path.join(room, "kernel");
  fs.mkdirSync(kernel);
  return kernel;
};

// Ctrl-C reaches this process too; Python, which asked for the work, ends it by closing the pipe.
process.on("SIGINT", () => {});
process.on("exit", () => {
  module_.flushCompileCache();
  fs.rmSync(room, { recursive: true, force: true });
});

require(process.env.LZ_JSII_PROGRAM);
