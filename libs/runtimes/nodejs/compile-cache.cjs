'use strict';
/**
 * What V8 has compiled of the user's code, kept for later instances of the same code. Loaded by the bootstrap only where the
 * invoker asks for it. `read`: folder of a cache that is complete; without it a new one is collected.
 *
 * From version 22 Node.js does it by itself; before, modules of CommonJS are compiled here. `import()` does not work in what
 * V8 has from a cache: files that may use it are left to Node.js, and so are ES modules.
 */
const fs = require('fs');
const Module = require('module');
const path = require('path');
const vm = require('vm');

/** Node.js writes here what is collected; `/tmp` is the instance's own. */
const SCRATCH = '/tmp/.openscf-compile';
const WRAPPER = ['(function (exports, require, module, __filename, __dirname) { ', '\n})'];
/** A comment may stand between the two. */
const IMPORT = /\bimport\s*[(/]/;
/** Smaller files are compiled as fast as a cache is read. */
const MIN_CHARACTERS = 4096;
const MAX_BYTES = 24 * 1024 * 1024;
const MAX_NAME = 200;

/** @returns a function that iterates over what was collected as [name, bytes], or undefined where nothing is */
exports.open = (read, roots) =>
  typeof Module.enableCompileCache === 'function' ? openNative(read) : openOwn(read, roots);

function openNative(read) {
  Module.enableCompileCache(read === undefined ? SCRATCH : read);
  if (read !== undefined) return undefined;
  return function* () {
    Module.flushCompileCache();
    let bytes = 0;
    for (const entry of fs.readdirSync(SCRATCH, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = path.join(entry.parentPath || entry.path, entry.name);
      const content = fs.readFileSync(file);
      bytes += content.length;
      if (bytes > MAX_BYTES) break;
      yield [path.relative(SCRATCH, file), content];
    }
    fs.rmSync(SCRATCH, { recursive: true, force: true });
  };
}

function openOwn(read, roots) {
  const compile = Module.prototype._compile;
  const compiled = new Map();
  Module.prototype._compile = function (content, filename) {
    const name = encodeURIComponent(filename);
    const isUsers = roots.some((root) => filename.startsWith(root));
    if (!isUsers || content.length < MIN_CHARACTERS || name.length > MAX_NAME)
      return compile.apply(this, arguments);
    const cachedData = read === undefined ? undefined : readIfThere(path.join(read, name));
    const mayImport = read === undefined ? IMPORT.test(content) : cachedData === undefined;
    if (mayImport) return compile.apply(this, arguments);
    // The first line may be for a shell.
    const script = new vm.Script(WRAPPER[0] + content.replace(/^#!.*/, '') + WRAPPER[1], {
      filename,
      columnOffset: -WRAPPER[0].length,
      cachedData,
    });
    if (read === undefined) compiled.set(name, script);
    const run = script.runInThisContext({ displayErrors: true });
    return run.call(this.exports, this.exports, requireOf(this), this, filename, path.dirname(filename));
  };
  if (read !== undefined) return undefined;
  return function* () {
    let bytes = 0;
    for (const [name, script] of compiled) {
      const content = script.createCachedData();
      bytes += content.length;
      if (bytes > MAX_BYTES) break;
      yield [name, content];
    }
    compiled.clear();
  };
}

function readIfThere(file) {
  try {
    return fs.readFileSync(file);
  } catch (_) {
    return undefined;
  }
}

/** As Node.js makes it for a module. */
function requireOf(module) {
  const require = (id) => module.require(id);
  require.resolve = (request, options) => Module._resolveFilename(request, module, false, options);
  require.resolve.paths = (request) => Module._resolveLookupPaths(request, module);
  require.main = process.mainModule;
  require.extensions = Module._extensions;
  require.cache = Module._cache;
  return require;
}
