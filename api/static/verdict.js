// Shows a verdict step by step, from the JSON that trien-verify --json prints (VERDICT.md). Fields it does not know are shown as they are.
// Whatever comes from a file is text, never markup.
(() => {
  'use strict';

  const el = (tag, attributes, ...children) => {
    const e = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) e.setAttribute(name, value);
    e.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== ''));
    return e;
  };

  const ranks = ['passed', 'cannot_say', 'failed'];
  const worst = (outcomes) => outcomes.reduce((a, b) => (ranks.indexOf(b) > ranks.indexOf(a) ? b : a), 'passed');
  const outcomeOf = { 'TOTAL-PASSED': 'passed', 'TOTAL-FAILED': 'failed' };
  const ofIndication = (i) => outcomeOf[i] || 'cannot_say';

  // Which step a finding belongs to, by its code (VERDICT.md). Of others those of the file stand under the file, those of a document under
  // the document.
  const stepOf = {};
  for (const [step, codes] of Object.entries({
    signatures: 'anchors_missing not_signed signature_count signature_order same_signer person_is_organisation seal_is_person holder_unclear ' +
      'signature_failed signature_indeterminate revocation_grace not_covered document_changed document_remark',
    time: 'no_trusted_time no_archive_time exported_later seal_earlier',
    documents: 'contents_malformed attachments_damaged attachment_missing attachment_extra attachments_changed pages_differ',
    ledger: 'policy_missing policy_differs ledger_forked not_in_ledger receipt_malformed receipt_foreign receipt_untrusted receipt_not_judged',
  })) for (const code of codes.split(' ')) stepOf[code] = step;

  // Hanoi knows one offset only.
  const clock = (iso) => {
    const t = new Date(Date.parse(iso) + 7 * 3600e3);
    if (Number.isNaN(t.getTime())) return iso;
    const s = t.toISOString();
    return el('time', { datetime: iso }, `${s.slice(8, 10)}/${s.slice(5, 7)}/${s.slice(0, 4)} ${s.slice(11, 16)}`);
  };

  const vietnamese = document.documentElement.lang === 'vi';
  const size = (n) => {
    let f = n, unit = 'B';
    for (const next of ['KB', 'MB', 'GB', 'TB']) { if (f < 1024) break; f /= 1024; unit = next; }
    const text = unit === 'B' ? String(n) : f.toFixed(f >= 100 ? 0 : 1);
    return `${vietnamese ? text.replace('.', ',') : text} ${unit}`;
  };

  window.trienVerdict = (answer, texts, run) => {
    const v = JSON.parse(answer.json);
    const t = (key) => texts[key] || key;
    const marks = { passed: ['✓', 'good', 'TOTAL-PASSED'], failed: ['✗', 'bad', 'TOTAL-FAILED'], cannot_say: ['?', 'wait', 'INDETERMINATE'] };
    const state = (outcome) => (outcome ? el('span', { class: `state ${marks[outcome][1]}` }, `${marks[outcome][0]} ${t(`verdict.${marks[outcome][2]}`)}`)
      : el('span', { class: 'state' }, t('judge.nothing')));
    const fact = (name, value, full) => (value === undefined || value === '' ? null
      : el('div', full ? { class: 'full' } : {}, el('dt', {}, name), el('dd', {}, value)));
    const facts = (...list) => (list.some(Boolean) ? el('dl', { class: 'facts' }, list) : null);
    const code = (s) => el('code', {}, s);

    const findings = (list) => (list.length ? el('ul', { class: 'findings' }, list.map((f) => el('li', { class: f.outcome },
      (vietnamese ? f.vi : f.en) || f.code, ' ', code(f.code)))) : null);

    // Fields that a later version of the format has.
    const more = (object, known) => {
      const names = Object.keys(object).filter((k) => !known.split(' ').includes(k));
      return names.length ? el('details', {}, el('summary', {}, t('judge.more')),
        facts(...names.map((k) => fact(k, code(JSON.stringify(object[k], null, 1)), true)))) : null;
    };

    const nameOf = (s) => {
      const cn = s.signer && /(?:^|,|\+)CN=((?:\\.|[^,+\\])*)/.exec(s.signer.subject);
      return cn ? cn[1].replace(/\\(.)/g, '$1') : `${t('verdict.signature')} ${s.field}`;
    };
    const role = (s, i) => t(`verdict.${i === v.person ? 'person' : i === v.seal ? 'seal' : s.kind === 'timestamp' ? 'stamp' : 'signature'}`);

    const signature = (s, i) => el('li', {}, el('div', {},
      el('small', {}, role(s, i)), el('strong', {}, nameOf(s)), ' ', state(ofIndication(s.indication)), ' ',
      s.sub_indication ? code(s.sub_indication) : '', el('br'),
      s.level ? `${t('verdict.level')} ${s.level} · ` : '', when(s),
      s.signer ? el('small', {}, `${t('judge.certificate')} ${s.signer.serial}, ${t('judge.issuer')} ${s.signer.issuer}`) : null,
      s.findings.length ? el('details', {}, el('summary', {}, t('verdict.details')), el('ul', { class: 'findings', lang: 'en' },
        s.findings.map((f) => el('li', {}, f.text, ' ', code(f.code))))) : null,
      s.details.length ? el('ul', { class: 'fine' }, s.details.map((d) => el('li', {}, inWords(d)))) : null,
      more(s, 'field sub_filter kind indication sub_indication level digest algorithm signer chain time time_source proven_by claimed_time stamps revocation ' +
        'byte_range revision_end whole_revision certified locks changes details findings')));
    const inWords = (d) => (vietnamese ? d.vi : d.en);
    const when = (s) => (s.time ? [clock(s.time), `, ${inWords(s.proven_by)}`]
      : s.claimed_time ? [`${t('verdict.claimed')} `, clock(s.claimed_time)] : [t('judge.notime')]);
    const signatures = (list, first) => (list.length ? el('ul', { class: 'versions' }, list.map((s, i) => signature(s, first ? i : -1))) : null);

    const own = (d) => d.findings.filter((f) => stepOf[f.code] !== 'ledger');
    const document_ = (d) => el('li', {}, el('div', {}, el('strong', {}, d.title), ' ', state(d.outcome), el('br'),
      `${d.media_type.split('/').pop().toUpperCase()} · ${size(d.size)} · `, d.time ? [clock(d.time), ' · '] : '',
      `${t('judge.version')} ${d.number} · ${t('verdict.index')} ${d.index}`, el('br'), el('code', { class: 'fine' }, d.sha256),
      findings(own(d)), signatures(d.signatures, false),
      more(d, 'title kind media_type file first_page last_page version number sha256 size time index outcome signatures findings')));

    const byStep = (step) => v.findings.filter((f) => (stepOf[f.code] || 'file') === step);
    const step = (name, outcomes, ...content) => {
      const list = byStep(name);
      const outcome = outcomes === null && !list.length ? null : worst([...(outcomes || []), ...list.map((f) => f.outcome)]);
      return el('li', { 'data-step': name, 'data-outcome': outcome || 'none' },
        el('h4', {}, t(`judge.step.${name}`), ' ', state(outcome)), findings(list), ...content);
    };
    const stamps = v.signatures.filter((s) => s.kind === 'timestamp');
    const inLedger = v.documents.map((d, i) => [i, d.findings.filter((f) => stepOf[f.code] === 'ledger')]);
    const c = v.checkpoint;
    const x = v.export;
    const steps = el('ol', { class: 'steps' },
      step('file', [], facts(fact(t('verdict.file'), code(v.sha256), true), fact(t('verdict.size'), size(v.size)), fact(t('verdict.time'), clock(v.judged_at)),
        x && fact(t('judge.export'), code(x.id)), x && fact(t('judge.dossier'), code(x.dossier)), x && fact(t('judge.exported'), clock(x.exported)),
        x && fact(t('judge.purpose'), x.purpose), x && fact(t('judge.pages'), String(x.pages))), x && more(x, 'id dossier register exported purpose pages')),
      step('signatures', v.signatures.length ? v.signatures.filter((s) => s.kind !== 'timestamp').map((s) => ofIndication(s.indication)) : null,
        signatures(v.signatures, true) || el('p', {}, t('verdict.none'))),
      step('time', v.signatures.length ? stamps.map((s) => ofIndication(s.indication)) : null, v.signatures.length ? el('ul', {},
        v.signatures.map((s, i) => el('li', {}, `${role(s, i)}: `, when(s)))) : null),
      step('documents', v.documents.length ? v.documents.flatMap((d) => own(d).map((f) => f.outcome)) : null,
        v.documents.length ? el('ul', { class: 'versions' }, v.documents.map(document_)) : null),
      step('ledger', c || v.documents.length ? inLedger.flatMap(([, list]) => list.map((f) => f.outcome)) : null,
        inLedger.map(([i, list]) => (list.length ? [el('strong', {}, v.documents[i].title), findings(list)] : null)).flat(),
        c && facts(fact(t('judge.origin'), c.origin), fact(t('judge.entries'), String(c.size)), fact(t('judge.root'), code(c.root), true),
          ...c.witnessed.map((w) => fact(t('judge.witnessed'), clock(w)))), c && more(c, 'origin size root witnessed')));

    const believed = answer.trust;
    const trust = el('ul', {}, (believed.anchors.length ? believed.anchors : [null]).map((a) => el('li', {}, `${t('verdict.anchors')}: `,
      a ? [el('strong', {}, a.subject), ' ', code(a.sha256)] : t('judge.trusted.none'))),
      el('li', {}, `${t('verdict.policy')}: `, believed.policy ? [el('strong', {}, believed.policy.origin), ' ', code(believed.policy.sha256)] : t('judge.trusted.none')));

    const headline = { passed: '✓ ', failed: '✗ ', cannot_say: '? ' }[v.outcome] + t(`verdict.${v.outcome === 'cannot_say' ? 'unsure' : v.outcome}`);
    return el('section', { class: `card verdict ${v.outcome}`, 'aria-labelledby': 'h-verdict', tabindex: '-1' },
      el('h2', { id: 'h-verdict' }, t('verdict')), el('p', { class: 'banner' }, headline),
      el('h3', {}, t('judge.steps')), steps,
      more(v, 'format outcome export person seal signatures documents checkpoint findings sha256 size judged_at'),
      el('h3', {}, t('judge.trusted')), trust,
      el('details', {}, el('summary', {}, t('judge.text')), el('pre', {}, vietnamese ? answer.vi : answer.en)),
      el('details', {}, el('summary', {}, t('judge.json')), el('pre', { 'data-json': '' }, answer.json)),
      el('p', { class: 'fine', 'data-memory': String(answer.memory), 'data-took': String(Math.round(run.took)) },
        `${t('judge.took')}: ${(run.took / 1000).toFixed(1)} s · ${t('judge.memory')}: ${size(answer.memory)}`));
  };
})();
