// Functions for the checks of the status page.
window.checks = {
  // The sum of all layout shifts since `begin`.
  shifts: 0,
  shifted: [],

  watch() {
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        checks.shifts += entry.value;
        for (const source of entry.sources) {
          const node = source.node && (source.node.outerHTML || source.node.textContent);
          checks.shifted.push(String(node).slice(0, 120));
        }
      }
    }).observe({type: 'layout-shift', buffered: false});
  },

  // The number of answers with a status so far.
  updates() {
    return performance.getEntriesByType('resource')
      .filter((entry) => entry.name.endsWith('/status.json')).length;
  },

  isVisible(element) {
    const box = element.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && getComputedStyle(element).visibility === 'visible';
  },

  // A color of the computed style as red, green, blue and opacity.
  color(text) {
    const parts = text.match(/[\d.]+/g).map(Number);
    return parts.length < 4 ? [...parts, 1] : parts;
  },

  background(element) {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const color = checks.color(getComputedStyle(at).backgroundColor);
      layers.push(color);
      if (color[3] === 1) break;
    }
    return layers.reverse().reduce((below, [red, green, blue, alpha]) =>
      [red, green, blue].map((value, index) => value * alpha + below[index] * (1 - alpha)),
    [255, 255, 255]);
  },

  luminance(color) {
    const [red, green, blue] = color.slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  },

  contrast(one, other) {
    const [high, low] = [checks.luminance(one), checks.luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  },

  // The visible texts whose contrast is below 4.5:1 (WCAG 2, 1.4.3), and the lowest contrast.
  contrasts() {
    const poor = [];
    let lowest = 21;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      const text = walker.currentNode.textContent.trim();
      if (!text || ['SCRIPT', 'STYLE', 'NOSCRIPT', 'OPTION'].includes(element.tagName)) continue;
      if (!checks.isVisible(element)) continue;
      const value = checks.contrast(checks.color(getComputedStyle(element).color),
        checks.background(element));
      lowest = Math.min(lowest, value);
      if (value < 4.5) poor.push(text.slice(0, 40) + ' ' + value.toFixed(2));
    }
    return {lowest: Math.round(lowest * 100) / 100, poor};
  },

  // The violations of rules that accessibility checkers apply.
  violations() {
    const found = [];
    const all = (selector) => [...document.querySelectorAll(selector)].filter(checks.isVisible);
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
    for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push('id ' + id);
    if (document.documentElement.lang !== 'en') found.push('no language');
    if (!document.title) found.push('no title');
    if (all('main').length !== 1) found.push('not one main');
    if (all('h1').length !== 1) found.push('not one h1');
    for (const name of ['header', 'main', 'aside', 'footer']) {
      if (all(name).length !== 1) found.push('not one ' + name);
    }
    let level = 0;
    for (const heading of all('h1, h2, h3, h4')) {
      const next = Number(heading.tagName[1]);
      if (next > level + 1) found.push('heading ' + heading.textContent + ' skips a level');
      level = next;
    }
    for (const head of all('th')) {
      if (!['col', 'row'].includes(head.scope)) found.push('th without scope');
    }
    for (const table of all('table')) {
      if (!table.getAttribute('aria-labelledby')) found.push('table without a name');
      for (const row of table.tBodies[0].rows) {
        if (row.cells.length !== table.tHead.rows[0].cells.length) found.push('uneven row');
      }
    }
    for (const input of all('input, select')) {
      if (input.labels.length === 0) found.push('no label: ' + input.id);
    }
    for (const name of ['aria-labelledby', 'for']) {
      for (const element of document.querySelectorAll('[' + name + ']')) {
        if (!document.getElementById(element.getAttribute(name))) found.push('no target: ' + name);
      }
    }
    for (const element of all('*')) {
      const style = getComputedStyle(element);
      const scrolls = /auto|scroll/.test(style.overflowY)
        && element.scrollHeight > element.clientHeight + 1;
      if (scrolls && element.tabIndex < 0 && element !== document.documentElement) {
        found.push('not focusable: ' + element.id);
      }
    }
    for (const svg of all('svg')) if (!svg.getAttribute('aria-hidden')) found.push('svg');
    return [...new Set(found)];
  },

  // The elements that reach beyond the right edge of the view, by tag and class.
  overflowing() {
    const width = document.documentElement.clientWidth;
    const root = document.documentElement;
    if (root.scrollWidth <= width) return [];
    return [...document.querySelectorAll('body *')]
      .filter((element) => element.getBoundingClientRect().right > width + 1)
      .map((element) => element.tagName + '.' + element.className).slice(0, 5);
  },
};
