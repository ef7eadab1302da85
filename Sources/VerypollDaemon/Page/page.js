'use strict';
(() => {
  // The charts show this many milliseconds; the browser keeps a sample for each update.
  const SPAN = 180_000;
  // A longer time between samples is a gap in the charts.
  const GAP = 6_000;
  const INTERVAL = 1_000, SLOWEST = 10_000, TIMEOUT = 10_000;

  const $ = (id) => document.getElementById(id);
  const SVG = 'http://www.w3.org/2000/svg';

  function make(name, className, ...children) {
    const element = document.createElement(name);
    if (className) element.className = className;
    element.append(...children);
    return element;
  }

  function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function setClass(element, text) {
    if (element.className !== text) element.className = text;
  }

  function setTitle(element, text) {
    if (element.title !== text) element.title = text;
  }

  // MARK: Numbers and times

  function digits(value) { return value < 9.95 ? value.toFixed(1) : String(Math.round(value)); }

  function scaled(value, units) {
    let index = 0;
    while (value >= 999.5 && index < units.length - 1) { value /= 1000; index += 1; }
    return index === 0 ? String(Math.round(value)) + units[0] : digits(value) + units[index];
  }

  const bytes = (value) => scaled(value, [' B', ' kB', ' MB', ' GB', ' TB', ' PB']);
  const count = (value) =>
    value < 100_000 ? String(Math.round(value)).replace(/(\d)(?=\d{3}$)/, '$1\u202f')
      : scaled(value, ['', 'k', 'M', 'G']);
  const perSecond = (value) => value > 0 && value < 9.95 ? value.toFixed(1) : count(value);

  function span(microseconds) {
    const seconds = Math.max(0, Math.floor(microseconds / 1e6));
    if (seconds < 60) return seconds + ' s';
    if (seconds < 3600) return Math.floor(seconds / 60) + ' min';
    if (seconds < 172_800) return Math.floor(seconds / 3600) + ' h';
    return Math.floor(seconds / 86_400) + ' d';
  }

  function clock(microseconds, now) {
    const date = new Date(microseconds / 1000);
    const isOld = now - microseconds > 43_200e6;
    return isOld ? date.toLocaleDateString('en', {month: 'short', day: 'numeric'})
      : date.toLocaleTimeString('en-GB');
  }

  const plural = (number, noun) => count(number) + ' ' + noun + (number === 1 ? '' : 's');

  // MARK: Samples

  // By the key of a listener or server: the last counters, and the samples since.
  let series = new Map();

  function observe(key, time, values, active) {
    let entry = series.get(key);
    // The clock of the host may have been set back.
    if (entry && entry.last && time < entry.last.time) entry = null;
    if (!entry) { entry = {samples: []}; series.set(key, entry); }
    const last = entry.last;
    entry.seenAt = time;
    if (!last || last.time < time) {
      entry.last = {time, values};
      if (last) {
        const seconds = (time - last.time) / 1000;
        const rates = values.map((value, index) =>
          Math.max(0, value - last.values[index]) / seconds);
        entry.rates = rates;
        entry.samples.push({time, active, rates});
        while (entry.samples[0].time < time - SPAN) entry.samples.shift();
      }
    }
    return entry;
  }

  const NONE = [0, 0, 0];
  const rates = (entry) => entry.rates || NONE;

  // MARK: Charts

  function chart(lines, width, height, hasArea) {
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true');
    const paths = lines.map((name) => {
      const area = hasArea ? svg.appendChild(document.createElementNS(SVG, 'path')) : null;
      if (area) area.setAttribute('class', 'area');
      const path = svg.appendChild(document.createElementNS(SVG, 'path'));
      path.setAttribute('class', name);
      return {path, area};
    });
    return {svg, paths, width, height};
  }

  // Draws lines over one scale, and returns the largest value.
  function draw(chart, samples, values, now) {
    let peak = 0;
    for (const sample of samples) for (const value of values) peak = Math.max(peak, value(sample));
    const top = peak > 0 ? peak : 1;
    const room = chart.height - 3;
    values.forEach((value, index) => {
      let line = '', area = '', before = null;
      for (const sample of samples) {
        const x = ((1 - (now - sample.time) / SPAN) * chart.width).toFixed(1);
        const y = (chart.height - 1.5 - value(sample) / top * room).toFixed(1);
        const joins = before && sample.time - before.time < GAP;
        if (!joins && before) area += 'V' + chart.height + 'Z';
        line += (joins ? 'L' : 'M') + x + ' ' + y;
        area += (joins ? 'L' : 'M' + x + ' ' + chart.height + 'L') + x + ' ' + y;
        before = sample;
      }
      if (before) area += 'V' + chart.height + 'Z';
      chart.paths[index].path.setAttribute('d', line);
      if (chart.paths[index].area) chart.paths[index].area.setAttribute('d', area);
    });
    return peak;
  }

  function tile(id, title, value, format) {
    const element = $(id);
    const picture = chart([''], 240, 52, true);
    const number = make('span');
    const peak = make('p', 'peak');
    const suffix = make('span');
    const heading = make('h2', '', title, suffix);
    heading.id = id + '-title';
    element.setAttribute('aria-labelledby', heading.id);
    element.append(heading, make('p', 'value', number), peak, picture.svg);
    return (entry, now, current, limit) => {
      setText(number, format(current));
      setText(suffix, limit ? ' of ' + limit : '');
      setText(peak, 'peak ' + format(draw(picture, entry.samples, [value], now)));
    };
  }

  const tiles = {
    active: tile('tile-active', 'Open sessions', (sample) => sample.active, count),
    rate: tile('tile-rate', 'New sessions/s', (sample) => sample.rates[0], perSecond),
    in: tile('tile-in', 'From clients/s', (sample) => sample.rates[1], bytes),
    out: tile('tile-out', 'To clients/s', (sample) => sample.rates[2], bytes),
  };

  // MARK: States

  function listenerLevel(listener) {
    return {accepting: 'good', paused: 'bad', draining: 'warn', drained: 'warn'}[listener.state]
      || 'none';
  }

  // An operator's mode hides the health, except that a server that is down is down.
  function serverState(server) {
    if (server.mode === 'down') return {level: 'warn', word: 'set down'};
    if (server.mode === 'drain') return {level: 'warn', word: 'drain'};
    const level = {up: 'good', down: 'bad', unresolved: 'bad', ejected: 'warn'}[server.state];
    return {level: level || 'none', word: server.state};
  }

  const RANK = {bad: 0, warn: 1, none: 2, good: 3};

  // MARK: Attention

  function attention(status) {
    const items = [];
    const add = (level, what, why) => items.push({level, what, why: why || ''});
    if (status.reloadRefusal) {
      add('bad', 'last reload refused', status.reloadRefusal.replace(/^reload refused: /, ''));
    }
    if (status.state !== 'running') add('warn', 'the daemon is ' + status.state, '');
    for (const upstream of status.upstreams) {
      const troubled = upstream.servers.map((server) => ({server, ...serverState(server)}))
        .filter((entry) => entry.level === 'bad' || entry.level === 'warn');
      const total = upstream.servers.length;
      // An omitted server may be available.
      const isComplete = !status.omitted || status.omitted.servers === 0;
      const isStranded = isComplete && troubled.length === total;
      if (isStranded) {
        const [first] = troubled;
        add('bad', upstream.name + ': no server is available',
          first ? first.server.stateReason || first.word : '');
      }
      for (const service of upstream.services || []) {
        if (!service.failure && !service.isNotOffered) continue;
        const age = span(status.timestampUSec - service.answerTimestampUSec);
        const rest = service.answerTimestampUSec === undefined ? 'it has no servers yet'
          : 'the answer of ' + age + ' ago is kept';
        add('warn', upstream.name + ' ' + service.name,
          service.failure ? 'not found: ' + service.failure + '; ' + rest
            : 'the service is not offered');
      }
      if (troubled.length > 5) {
        const bad = troubled.filter((entry) => entry.level === 'bad');
        const first = bad[0] || troubled[0];
        add(first.level, upstream.name + ': ' + troubled.length + ' of ' + total + ' servers',
          'not in service, such as ' + first.server.address + ': '
          + (first.server.stateReason || first.word));
      } else if (!isStranded || total > 1) {
        for (const {server, level, word} of troubled) {
          const since = span(status.timestampUSec - server.stateTimestampUSec);
          const timed = server.mode === 'up' ? word + ' for ' + since : word;
          add(level, upstream.name + ' ' + server.address,
            timed + (server.stateReason ? ': ' + server.stateReason : ''));
        }
      }
      if (upstream.waiting > 0) {
        add('warn', upstream.name + ': ' + plural(upstream.waiting, 'session') + ' wait',
          'maxSessions of the upstream or of its servers is reached');
      }
    }
    for (const listener of status.listeners) {
      const level = listenerLevel(listener);
      if (level === 'bad' || level === 'warn') {
        add(level, 'listener ' + listener.name + ' ' + listener.state, listener.stateReason);
      }
    }
    if (status.totals.active >= 0.9 * status.totals.maxSessions) {
      add('warn', plural(status.totals.active, 'session') + ' of at most '
        + count(status.totals.maxSessions), 'raise limits.maxSessions');
    }
    if (status.omitted) {
      add('none', 'too many to show', plural(status.omitted.listeners, 'listener') + ' and '
        + plural(status.omitted.servers, 'server') + ' are omitted');
    }
    return items.sort((one, other) => RANK[one.level] - RANK[other.level]);
  }

  let news = null;

  function showAttention(status) {
    const items = attention(status);
    const list = $('attention');
    const troubles = items.filter((item) => item.level !== 'none').length;
    const servers = status.upstreams.reduce((sum, upstream) => sum + upstream.servers.length, 0);
    if (troubles === 0) {
      const subject = servers === 1 ? 'The server is' : 'All ' + count(servers) + ' servers are';
      const what = servers === 0 ? 'All listeners accept.'
        : subject + ' in service, and all listeners accept.';
      items.unshift({level: 'good', what, why: ''});
    }
    slots(list, items.slice(0, 100), () => {
      const item = make('li', '', make('span', 'dot'), make('span', 'what'), make('span', 'why'));
      return {element: item, kind: ''};
    }, ({element}, item) => {
      setClass(element, item.level);
      setText(element.children[1], item.what);
      setTitle(element.children[1], item.what);
      setText(element.children[2], item.why);
      setTitle(element.children[2], item.why);
    });
    setText($('attention-count'), troubles > 0 ? '(' + troubles + ')' : '');
    setClass(list.parentElement, 'tile attention '
      + (troubles > 0 ? items[0].level : ''));
    // A screen reader hears a change of the matters, not of their times.
    const text = items.map((item) => item.what).join('; ');
    if (text !== news) { news = text; setText($('attention-news'), text); }
    document.title = (troubles > 0 ? '(' + troubles + ') ' : '')
      + (status.hostName || 'verypolld') + ' – verypolld';
  }

  // MARK: Rows
  //
  // A row stays in its place and only its contents change, so that nothing moves while the page
  // updates.

  const made = new WeakMap();

  // Above this number of rows, the charts of rows outside of the view are not drawn.
  const FEW = 400;
  const drawers = new WeakMap();
  const inView = new WeakSet();
  const watcher = new IntersectionObserver((entries) => {
    for (const {target, isIntersecting} of entries) {
      if (isIntersecting) inView.add(target); else inView.delete(target);
      if (isIntersecting && drawers.has(target)) drawers.get(target)();
    }
  }, {rootMargin: '200px'});

  function slots(parent, items, create, update) {
    const elements = made.get(parent) || [];
    made.set(parent, elements);
    items.forEach((item, index) => {
      const kind = item.kind || '';
      if (!elements[index] || elements[index].kind !== kind) {
        const slot = create(item);
        slot.kind = kind;
        if (elements[index]) elements[index].element.replaceWith(slot.element);
        else parent.append(slot.element);
        elements[index] = slot;
      }
      update(elements[index], item);
    });
    for (const slot of elements.splice(items.length)) slot.element.remove();
  }

  let rowCount = 0;

  function row() {
    const sessions = chart([''], 90, 21, true);
    const traffic = chart(['in', 'out'], 90, 21, false);
    const state = make('td', 'c-state', make('span', 'dot'), make('span', 'word'));
    const head = make('th', 'c-name', make('span', 'name'), make('span', 'sub'));
    head.scope = 'row';
    const cells = ['c-why w', 'c-kind w', 'c-num', 'c-num x', 'c-byte w', 'c-byte w', 'c-num w']
      .map((name) => make('td', name));
    const element = make('tr', '', head, state, ...cells, make('td', 'c-chart x', sessions.svg),
      make('td', 'c-chart', traffic.svg));
    watcher.observe(element);
    return {element, head, state, cells, sessions, traffic};
  }

  function number(cell, value, format) {
    setText(cell, format(value));
    cell.classList.toggle('zero', value === 0);
  }

  function updateRow(slot, item, now) {
    const {head, state, cells, sessions, traffic} = slot;
    setClass(slot.element, item.kind + ' ' + item.level + (item.flat ? ' flat' : ''));
    setText(head.children[0], item.name);
    setTitle(head, item.name);
    setText(head.children[1], item.sub);
    setClass(state, 'c-state ' + item.level);
    setText(state.children[1], item.word);
    setText(cells[0], item.why);
    setTitle(cells[0], item.why);
    setText(cells[1], item.extra);
    setText(cells[2], count(item.active));
    setTitle(cells[2], item.limit ? 'at most ' + item.limit : '');
    const [opened, received, sent] = item.rates;
    number(cells[3], opened, perSecond);
    number(cells[4], received, bytes);
    number(cells[5], sent, bytes);
    number(cells[6], item.failures, count);
    cells[2].classList.toggle('zero', item.active === 0);
    const drawCharts = () => {
      draw(sessions, item.samples, [(sample) => sample.active], now);
      draw(traffic, item.samples, [(sample) => sample.rates[1], (sample) => sample.rates[2]], now);
    };
    drawers.set(slot.element, drawCharts);
    if (rowCount <= FEW || inView.has(slot.element)) drawCharts();
  }

  const choice = {
    get text() { return $('filter').value.trim().toLowerCase(); },
    get onlyTroubled() { return $('troubled').checked; },
    get order() { return $('sort').value; },
  };

  const volume = (item) => item.rates[1] + item.rates[2];

  function sorted(items) {
    const keys = {
      trouble: (item) => RANK[item.level] === 3 ? 2 : RANK[item.level],
      order: () => 0, active: (item) => -item.active, bytes: (item) => -volume(item),
    };
    const key = keys[choice.order];
    // The sort is stable, so that equal rows stay in the order of the configuration.
    return items.slice().sort((one, other) => key(one) - key(other));
  }

  function matches(item, ...more) {
    if (choice.onlyTroubled && item.level !== 'bad' && item.level !== 'warn') return false;
    const words = choice.text.split(/\s+/);
    const text = [item.name, item.word, item.why, ...more].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  }

  const flow = (item) => bytes(volume(item)) + '/s';

  function listenerItems(status, time) {
    return status.listeners.map((listener) => {
      const entry = observe('l ' + listener.name, time,
        [listener.accepted, listener.bytesIn, listener.bytesOut], listener.active);
      const addresses = listener.addresses.map((address) => address.address).join(', ');
      const item = {
        kind: 'item', flat: true, name: listener.name, level: listenerLevel(listener),
        word: listener.state, why: listener.stateReason || addresses, extra: listener.handler,
        active: listener.active, limit: listener.maxSessions, failures: listener.rejected,
        rates: rates(entry), samples: entry.samples, addresses,
      };
      item.sub = listener.stateReason || listener.handler + ' · ' + flow(item);
      return item;
    });
  }

  function serverItem(upstream, server, status, time) {
    const entry = observe('s ' + upstream.name + ' ' + server.address, time,
      [server.sessions, server.bytesOut, server.bytesIn], server.active);
    const {level, word} = serverState(server);
    const notes = [server.stateReason, server.backup ? 'backup' : '',
      server.weight !== 1 ? 'weight ' + server.weight : ''];
    const item = {
      kind: 'item', name: server.address, level, word, why: notes.filter(Boolean).join(' · '),
      extra: span(status.timestampUSec - server.stateTimestampUSec), active: server.active,
      failures: server.failures, rates: rates(entry), samples: entry.samples,
    };
    item.sub = server.stateReason || flow(item);
    return item;
  }

  function groupItem(upstream, items, time) {
    const up = items.filter((item) => item.level === 'good' || item.level === 'none').length;
    const sums = [0, 0, 0];
    let failures = 0;
    for (const server of upstream.servers) {
      sums[0] += server.sessions;
      sums[1] += server.bytesOut;
      sums[2] += server.bytesIn;
      failures += server.failures;
    }
    const entry = observe('u ' + upstream.name, time, sums, upstream.active);
    const level = up === 0 ? 'bad' : up < items.length ? 'warn' : 'good';
    const waiting = upstream.waiting > 0 ? ', ' + count(upstream.waiting) + ' waiting' : '';
    return {
      kind: 'group', name: upstream.name, level, word: up + ' of ' + items.length,
      why: upstream.balance + waiting, extra: '', sub: upstream.balance + waiting,
      active: upstream.active, limit: upstream.maxSessions, failures, rates: rates(entry),
      samples: entry.samples,
    };
  }

  function showTables(status, time) {
    const now = time;
    const update = (slot, item) => updateRow(slot, item, now);
    const listeners = listenerItems(status, time);
    const shownListeners = sorted(listeners).filter((item) => matches(item, item.addresses));
    slots($('listeners').tBodies[0], shownListeners, row, update);

    let total = 0, shown = 0;
    const groups = status.upstreams.map((upstream) => {
      const items = upstream.servers.map((server) => serverItem(upstream, server, status, time));
      const group = groupItem(upstream, items, time);
      const kept = sorted(items).filter((item) => matches(item, upstream.name));
      total += items.length;
      shown += kept.length;
      const isShown = kept.length > 0 || (items.length === 0 && matches(group));
      return {...group, kept, isShown};
    });
    const rows = sorted(groups).filter((group) => group.isShown)
      .flatMap((group) => [group, ...group.kept]);
    rowCount = rows.length;
    slots($('servers').tBodies[0], rows, row, update);
    $('nothing').hidden = rows.length > 0 || groups.length === 0;
    $('servers').parentElement.hidden = groups.length === 0;
    setText($('shown'), shown === total ? plural(total, 'server')
      : count(shown) + ' of ' + plural(total, 'server'));
  }

  // MARK: Events and workers

  function describe(event) {
    const server = [event.upstream, event.server].filter(Boolean).join(' ');
    const listeners = event.listener ? 'listener ' + event.listener : 'all listeners';
    const kinds = {
      'server-up': ['good', server + ' is in service'],
      'server-down': [event.mode === 'up' ? 'bad' : 'warn', server + ' is '
        + (event.mode === 'up' ? event.state : event.mode === 'drain' ? 'draining' : 'set down')],
      'server-set': ['none', server + ' set to ' + event.mode],
      'listener-changed': [listenerLevel(event), 'listener ' + event.listener + ' '
        + (event.state === 'accepting' ? 'accepts' : event.state === 'closed' ? 'is closed'
          : 'is ' + event.state)],
      'drain-begun': ['warn', 'drain of ' + listeners + ' begun'],
      'drain-ended': ['none', 'drain of ' + listeners + ' ended'],
      'drain-done': ['none', listeners + (event.listener ? ' has' : ' have') + ' no sessions left'],
      'sessions-killed': ['warn', plural(event.sessions || 0, 'session') + ' killed'],
      'log-level-set': ['none', 'log level set to ' + event.logLevel],
      'reloaded': ['good', 'configuration reloaded'],
      'reload-refused': ['bad', 'reload refused'],
      'lost': ['none', plural(event.count || 0, 'event') + ' lost'],
    };
    const unknown = ['none', event.event + ' ' + (event.listener || server)];
    const [level, what] = kinds[event.event] || unknown;
    const times = event.count > 1 && event.event !== 'lost' ? ' (' + event.count + '×)' : '';
    return {level, what: what + times};
  }

  function showEvents(status) {
    const none = {event: 'none'};
    const items = status.events.length > 0 ? status.events : [none];
    slots($('events'), items, () => {
      const head = make('div', '', make('time'), make('span', 'dot'), make('span', 'what'));
      return {element: make('li', '', head, make('p', 'why')), head};
    }, ({element, head}, event) => {
      const isNone = event === none;
      const {level, what} = isNone ? {level: 'none', what: 'None yet'} : describe(event);
      const weight = event.event === 'server-set' ? 'weight ' + event.weight : '';
      const caller = event.caller ? 'by ' + event.caller : '';
      const why = [event.reason || weight, caller].filter(Boolean).join(', ');
      setText(head.children[0], isNone ? '' : clock(event.timestampUSec, status.timestampUSec));
      setTitle(head.children[0], isNone ? '' : new Date(event.timestampUSec / 1000).toString());
      setClass(head.children[1], 'dot ' + level);
      setText(head.children[2], what);
      setTitle(head.children[2], what);
      setText(element.children[1], why);
      setTitle(element.children[1], why);
    });
  }

  function showWorkers(status) {
    slots($('workers').tBodies[0], status.workers, () => {
      const fill = make('div');
      const head = make('th', '');
      head.scope = 'row';
      const cells = [make('td', 'c-num'), make('td', 'c-num')];
      const bar = make('td', 'c-bar', make('div', 'bar', fill));
      return {element: make('tr', '', head, ...cells, bar), head, cells, fill};
    }, (slot, worker) => {
      setText(slot.head, String(worker.index));
      setText(slot.cells[0], count(worker.sessions));
      setText(slot.cells[1], (worker.busyShare * 100).toFixed(0) + ' %');
      slot.fill.style.width = (worker.busyShare * 100).toFixed(1) + '%';
    });
  }

  // MARK: Updates

  let latest = null, process = '';

  function show(status) {
    const time = status.timestampUSec / 1000;
    const identity = status.pid + ' ' + status.startTimestampUSec;
    if (process !== identity) { process = identity; series = new Map(); }
    latest = status;
    const totals = status.totals;
    const entry = observe('', time, [totals.accepted, totals.bytesIn, totals.bytesOut],
      totals.active);
    setText($('host'), status.hostName || 'verypolld');
    setText($('facts'), 'verypolld ' + status.version + ' · ' + status.state + ' · up '
      + span(status.timestampUSec - status.startTimestampUSec) + ' · '
      + (status.configurationPath || 'built-in default'));
    setTitle($('facts'), $('facts').textContent);
    tiles.active(entry, time, totals.active, count(totals.maxSessions));
    const [opened, received, sent] = rates(entry);
    tiles.rate(entry, time, opened);
    tiles.in(entry, time, received);
    tiles.out(entry, time, sent);
    showAttention(status);
    showTables(status, time);
    showEvents(status);
    showWorkers(status);
    for (const [key, value] of series) if (value.seenAt < time - SPAN) series.delete(key);
    $('app').hidden = false;
  }

  function redraw() { if (latest) showTables(latest, latest.timestampUSec / 1000); }
  for (const id of ['filter', 'troubled', 'sort']) $(id).addEventListener('input', redraw);
  $('tools').addEventListener('submit', (event) => event.preventDefault());

  // MARK: The connection

  let timer = 0, failures = 0, request = null;

  function showLink(isLost, text) {
    setClass($('link'), isLost ? 'bad' : '');
    setClass($('link-dot'), 'dot ' + (isLost ? 'bad' : 'good'));
    setText($('link-text'), text);
  }

  function retry(milliseconds) {
    const seconds = Math.round(milliseconds / 1000);
    showLink(true, 'Connection lost, retrying' + (seconds > 0 ? ' in ' + seconds + ' s' : ' …'));
    $('app').hidden = false;
    timer = seconds > 0 ? setTimeout(retry, 1000, milliseconds - 1000) : setTimeout(update, 0);
  }

  async function update() {
    clearTimeout(timer);
    const abort = new AbortController();
    const limit = setTimeout(() => abort.abort(), TIMEOUT);
    request = abort;
    const start = performance.now();
    let status = null;
    try {
      const answer = await fetch('status.json', {cache: 'no-cache', signal: abort.signal});
      if (answer.ok) status = await answer.json();
    } catch {
      // The daemon cannot be reached, or the page is hidden now.
    }
    clearTimeout(limit);
    if (request !== abort) return;
    request = null;
    if (document.hidden) return;
    if (status) {
      failures = 0;
      timer = setTimeout(update, Math.max(100, INTERVAL - (performance.now() - start)));
      showLink(false, 'Live');
      show(status);
    } else {
      failures += 1;
      retry(Math.min(SLOWEST, INTERVAL * 2 ** (failures - 1)));
    }
  }

  // A hidden page asks for nothing.
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (document.hidden) { if (request) request.abort(); } else update();
  });
  update();
})();
