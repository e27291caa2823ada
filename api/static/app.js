// What this adds to pages that work without it: progress of uploads, a place to drop a file, a button that copies a command.
(() => {
  'use strict';

  const part = (form, name) => form.querySelector(`[data-${name}]`);

  // shows what a screen reader says too
  const tell = (form, text, wrong) => {
    const live = part(form, 'live');
    live.textContent = text;
    live.classList.toggle('wrong', Boolean(wrong));
  };

  const busy = (form, on) => {
    for (const b of form.querySelectorAll('button[type=submit]')) b.disabled = on;
    part(form, 'cancel').hidden = !on;
    part(form, 'progress').hidden = !on;
    form.setAttribute('aria-busy', String(on));
  };

  // says what is wrong with the file before anything is sent
  const refuse = (form) => {
    const input = form.querySelector('input[type=file]');
    const file = input.files[0];
    if (!file) return '';
    if (file.size === 0) return form.dataset.empty;
    if (file.size > Number(input.dataset.max)) return form.dataset.tooLarge;
    return '';
  };

  const problemText = (xhr, form) => {
    try {
      const p = JSON.parse(xhr.responseText);
      const field = p.field ? ` (${p.field})` : '';
      return `${p.title}. ${p.detail}${field} [${p.code}, ${p.request_id}]`;
    } catch {
      return form.dataset.broken;
    }
  };

  // send posts the form with progress; done gets the answer, whose errors are told here
  const send = (form, accept, done) => {
    const wrong = refuse(form);
    if (wrong) { tell(form, wrong, true); return; }
    const xhr = new XMLHttpRequest();
    const bar = form.querySelector('progress');
    const cancel = part(form, 'cancel');
    let spoken = -1;
    bar.value = 0;
    busy(form, true);
    tell(form, `${form.dataset.sending}: 0%`);
    xhr.upload.addEventListener('progress', (e) => {
      if (!e.lengthComputable) return;
      const percent = Math.floor(100 * e.loaded / e.total);
      bar.value = percent;
      const tenth = Math.floor(percent / 10); // a word for every tenth is enough to listen to
      if (tenth !== spoken && percent < 100) { spoken = tenth; tell(form, `${form.dataset.sending}: ${percent}%`); }
    });
    xhr.upload.addEventListener('load', () => { bar.removeAttribute('value'); tell(form, form.dataset.storing); });
    const stop = () => xhr.abort();
    cancel.addEventListener('click', stop);
    xhr.addEventListener('loadend', () => { busy(form, false); cancel.removeEventListener('click', stop); });
    xhr.addEventListener('load', () => {
      if (xhr.status >= 200 && xhr.status < 300) { tell(form, form.dataset.done); done(xhr); } else tell(form, problemText(xhr, form), true);
    });
    xhr.addEventListener('error', () => tell(form, form.dataset.broken, true));
    xhr.addEventListener('abort', () => tell(form, form.dataset.stopped, true));
    xhr.open('POST', form.action);
    xhr.setRequestHeader('Accept', accept);
    xhr.send(new FormData(form));
  };

  for (const form of document.querySelectorAll('form[data-upload]')) {
    form.addEventListener('submit', (e) => {
      e.preventDefault();
      send(form, 'application/json', (xhr) => { window.location.assign(JSON.parse(xhr.responseText).location); });
    });
  }

  for (const form of document.querySelectorAll('form[data-verify]')) {
    form.addEventListener('submit', (e) => {
      e.preventDefault();
      const place = document.getElementById('verdict');
      place.replaceChildren();
      send(form, 'text/html', (xhr) => {
        const page = new DOMParser().parseFromString(xhr.responseText, 'text/html');
        place.replaceChildren(...page.getElementById('verdict').children);
        const verdict = place.querySelector('section');
        if (verdict) { verdict.focus({ preventScroll: true }); verdict.scrollIntoView({ block: 'start' }); }
      });
    });
    const drop = part(form, 'drop');
    const input = form.querySelector('input[type=file]');
    const over = (on) => (e) => { e.preventDefault(); drop.classList.toggle('over', on); };
    drop.addEventListener('dragenter', over(true));
    drop.addEventListener('dragover', over(true));
    drop.addEventListener('dragleave', over(false));
    drop.addEventListener('drop', (e) => {
      over(false)(e);
      if (e.dataTransfer.files.length !== 1) return;
      input.files = e.dataTransfer.files;
      form.requestSubmit();
    });
  }

  for (const pre of document.querySelectorAll('pre[data-copy]')) {
    if (!navigator.clipboard) continue;
    const b = document.createElement('button');
    b.type = 'button';
    b.className = 'second small';
    b.textContent = pre.dataset.copy;
    b.addEventListener('click', () => {
      navigator.clipboard.writeText(pre.textContent).then(() => { b.textContent = pre.dataset.copied; }, () => {});
    });
    pre.after(b);
  }
})();
