// Judges a file in the browser: compiles the verifier once, keeps a worker ready for the next file, shows what it answers.
(() => {
  'use strict';

  const form = document.getElementById('judge');
  if (!form) return;
  const texts = JSON.parse(form.dataset.texts);
  const part = (name) => form.querySelector(`[data-${name}]`);
  const place = document.getElementById('verdict');
  const file = form.elements.file;

  // shows what a screen reader says too
  const tell = (text, wrong) => {
    const live = part('live');
    if (live.textContent !== text) live.textContent = text;
    live.classList.toggle('wrong', Boolean(wrong));
  };

  const busy = (on) => {
    form.querySelector('button[type=submit]').disabled = on;
    part('cancel').hidden = !on;
    part('progress').hidden = !on;
    form.setAttribute('aria-busy', String(on));
  };

  const compile = async () => {
    const response = fetch(form.dataset.wasm, { credentials: 'omit' }).then((r) => {
      if (!r.ok) throw new Error(`status ${r.status}`);
      return r;
    });
    if (WebAssembly.compileStreaming) return WebAssembly.compileStreaming(response);
    return WebAssembly.compile(await (await response).arrayBuffer());
  };

  // start makes a worker that waits for a file.
  const start = (module) => new Promise((resolve, reject) => {
    const worker = new Worker(form.dataset.worker);
    worker.onerror = (e) => { e.preventDefault(); worker.terminate(); reject(new Error(e.message || 'the worker did not start')); };
    worker.onmessage = ({ data }) => { if (data.ready) resolve(worker); else { worker.terminate(); reject(new Error(data.answer)); } };
    worker.postMessage({ glue: form.dataset.glue, module });
  });

  let module, spare;
  const ready = (async () => {
    module = await compile();
    spare = start(module);
    await spare;
    form.dataset.ready = '';
  })();

  // take gives the worker that is ready and makes the next one so, from what the browser keeps.
  const take = async () => {
    await ready;
    let worker;
    try { worker = await spare; } catch { worker = await start(module); }
    return worker;
  };
  const renew = () => { spare = start(module); spare.catch(() => {}); };

  const maxTrusted = 8 << 20;

  // trusted gives the bytes by which to judge: the page's, or the judge's own, of which any may be left out.
  const trusted = async (name) => {
    if (form.elements.by.value === 'server') return new TextEncoder().encode(document.getElementById(name).textContent);
    const own = form.elements[name].files[0];
    if (!own) return null;
    if (own.size > maxTrusted) throw { code: name, detail: `longer than ${maxTrusted} bytes` };
    try { return new Uint8Array(await own.arrayBuffer()); } catch (error) { throw { code: name, detail: String(error) }; }
  };

  const failed = ({ code, detail }) => {
    const known = texts[`judge.error.${code}`] || texts['judge.error.crashed'];
    tell(detail ? `${known} (${detail})` : known, true);
  };

  // run hands the file over and waits for the answer.
  const run = (worker, request) => new Promise((resolve) => {
    const bar = form.querySelector('progress');
    let spoken = -1;
    bar.value = 0;
    worker.onmessage = ({ data }) => {
      if (data.answer !== undefined) { resolve({ ...JSON.parse(data.answer), memory: data.memory }); return; }
      const percent = Math.min(100, Math.floor(100 * data.read / request.file.size));
      if (percent === 100) { bar.removeAttribute('value'); tell(texts['judge.checking']); return; }
      bar.value = percent;
      const tenth = Math.floor(percent / 10); // a word for every tenth is enough to listen to
      if (tenth !== spoken) { spoken = tenth; tell(`${texts['judge.reading']}: ${percent}%`); }
    };
    worker.onerror = (e) => { e.preventDefault(); resolve({ error: { code: 'crashed', detail: e.message || '' } }); };
    worker.postMessage(request);
  });

  const show = (answer, began) => {
    const verdict = trienVerdict(answer, texts, { took: performance.now() - began });
    place.replaceChildren(verdict);
    verdict.focus({ preventScroll: true });
    verdict.scrollIntoView({ block: 'start' });
  };

  const judge = async () => {
    const chosen = file.files[0];
    if (!chosen) return failed({ code: 'none' });
    if (chosen.size === 0) return failed({ code: 'empty' });
    place.replaceChildren();
    busy(true);
    tell(form.dataset.ready === undefined ? texts['judge.loading'] : `${texts['judge.reading']}…`);
    const stopped = new Promise((_, reject) => { part('cancel').onclick = () => reject(new DOMException('stopped', 'AbortError')); });
    let worker;
    try {
      const [anchors, policy] = [await trusted('anchors'), await trusted('policy')];
      worker = await Promise.race([take(), stopped]);
      const began = performance.now();
      const answer = await Promise.race([run(worker, { file: chosen, anchors, policy, at: '' }), stopped]);
      if (answer.error) return failed(answer.error);
      show(answer, began);
      tell(texts['judge.done']);
    } catch (error) {
      if (error.name === 'AbortError') tell(texts['judge.stopped']);
      else if (error.code && typeof error.code === 'string') failed(error);
      else unavailable();
    } finally {
      if (worker) { worker.terminate(); renew(); }
      busy(false);
    }
  };

  const unavailable = () => {
    tell(texts['judge.unavailable'], true);
    document.getElementById('send').open = true;
  };

  form.addEventListener('submit', (e) => { e.preventDefault(); judge(); });
  for (const radio of form.elements.by) {
    radio.addEventListener('change', () => { part('own').hidden = form.elements.by.value !== 'own'; });
  }
  part('own').hidden = form.elements.by.value !== 'own'; // a page that is shown again keeps what was chosen

  const drop = part('drop');
  const over = (on) => (e) => { e.preventDefault(); drop.classList.toggle('over', on); };
  drop.addEventListener('dragenter', over(true));
  drop.addEventListener('dragover', over(true));
  drop.addEventListener('dragleave', over(false));
  drop.addEventListener('drop', (e) => {
    over(false)(e);
    if (form.getAttribute('aria-busy') === 'true') return;
    if (e.dataTransfer.files.length !== 1) { failed({ code: 'one' }); return; }
    file.files = e.dataTransfer.files;
    form.requestSubmit();
  });

  form.closest('[data-judge]').hidden = false;
  // What a verdict of the server opened stays open.
  if (!place.children.length) document.getElementById('send').open = false;
  ready.then(() => { if (part('live').textContent === texts['judge.loading'] && form.getAttribute('aria-busy') !== 'true') tell(texts['judge.ready']); }, unavailable);
})();
