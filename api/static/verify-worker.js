// One worker judges one file and ends: so that nothing of a file is left, and memory is given back. It can reach nobody (its
// Content-Security-Policy has no connect-src).
'use strict';

let module;
let said = ''; // what the program printed: only why it died

const prepare = (data) => {
  importScripts(data.glue);
  module = data.module;
  const decoder = new TextDecoder();
  globalThis.fs.writeSync = (fd, bytes) => {
    if (said.length < 2000) said += decoder.decode(bytes);
    return bytes.length;
  };
  postMessage({ ready: true });
};

const judge = async ({ file, anchors, policy, at }) => {
  const files = new FileReaderSync();
  let read = 0, told = 0, answered = false, instance;
  globalThis.trien = {
    size: file.size, anchors, policy, at,
    read: (from, to) => {
      const bytes = new Uint8Array(files.readAsArrayBuffer(file.slice(from, to)));
      read += bytes.length;
      if (Date.now() - told > 100) { told = Date.now(); postMessage({ read }); }
      return bytes;
    },
    answer: (text) => { answered = true; postMessage({ answer: text, memory: instance.exports.mem.buffer.byteLength }); },
  };
  const go = new Go();
  go.exit = () => {};
  instance = await WebAssembly.instantiate(module, go.importObject);
  await go.run(instance);
  if (!answered) throw new Error(said.slice(0, 2000) || 'the program ended without an answer');
};

const fail = (error) => {
  const text = `${said.slice(0, 500)} ${error}`;
  const memory = error instanceof RangeError || /out of memory|cannot allocate/i.test(text);
  postMessage({ answer: JSON.stringify({ error: { code: memory ? 'memory' : 'crashed', detail: text.trim() } }), memory: 0 });
};

onmessage = async ({ data }) => {
  try {
    if (data.glue) prepare(data); else await judge(data);
  } catch (error) {
    fail(error);
  }
};
