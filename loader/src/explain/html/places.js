// @ts-check
// Where byte 0 is: the same packet on each kind of socket, and what an offset then hits.

import { clamp, code, el, fill, prose } from './dom.js';

/** The layers of a packet with their usual sizes, and what lies where in them: [offset, size, name]. @type {Record<string, { size: number, fields: [number, number, string][] }>} */
const LAYERS = {
  Ethernet: { size: 14, fields: [[0, 6, 'destination address'], [6, 6, 'source address'], [12, 2, 'EtherType']] },
  IPv4: { size: 20, fields: [[0, 1, 'version and header length'], [1, 1, 'type of service'], [2, 2, 'total length'], [4, 2, 'identification'], [6, 2, 'flags and fragment'], [8, 1, 'time to live'], [9, 1, 'protocol'], [10, 2, 'checksum'], [12, 4, 'source address'], [16, 4, 'destination address']] },
  TCP: { size: 20, fields: [[0, 2, 'source port'], [2, 2, 'destination port'], [4, 4, 'sequence number'], [8, 4, 'acknowledgement'], [12, 1, 'header length'], [13, 1, 'flags'], [14, 2, 'window'], [16, 2, 'checksum'], [18, 2, 'urgent pointer']] },
  UDP: { size: 8, fields: [[0, 2, 'source port'], [2, 2, 'destination port'], [4, 2, 'length'], [6, 2, 'checksum']] },
  payload: { size: 24, fields: [[0, 24, 'what the application sent']] },
};

/**
 * The layers that a packet of a hook has on the wire, and the first that the filter sees; null where there is no such packet.
 * @param {{ hook: string, byte0: string }} hook
 * @returns {{ layers: string[], first: number } | null}
 */
export function packetOf({ hook, byte0 }) {
  const is = (/** @type {string} */ start) => hook.startsWith(start);
  const udp = is('udp');
  const layers = is('unix') ? ['payload'] : ['Ethernet', 'IPv4', udp ? 'UDP' : 'TCP', 'payload'];
  const wanted = /^(\w+)( header| payload)?/.exec(byte0);
  if (!wanted || is('foreign') || is('fentry')) return null;
  const name = byte0.startsWith('payload') || byte0.startsWith('TCP payload') ? 'payload' : byte0.startsWith('Ethernet') ? 'Ethernet' : byte0.startsWith('network') || byte0.startsWith('IP header') ? 'IPv4' : byte0.startsWith('TCP') ? 'TCP' : byte0.startsWith('UDP') ? 'UDP' : byte0.startsWith('header after') ? 'TCP' : '';
  const first = layers.indexOf(name);
  return first < 0 ? null : { layers, first };
}

/** What lies at an offset. @param {{ layers: string[], first: number }} packet @param {number} offset */
export function fieldAt(packet, offset) {
  let start = 0;
  for (const layer of packet.layers.slice(packet.first)) {
    const { size, fields } = LAYERS[layer];
    if (offset >= start && offset < start + size) {
      const field = fields.find(([at, length]) => offset - start >= at && offset - start < at + length);
      return { layer, start, field: field ? field[2] : '' };
    }
    start += size;
  }
  return offset < 0 ? { layer: '', start: 0, field: 'before byte 0: only with the offsets SKF_NET_OFF and SKF_LL_OFF' } : { layer: 'payload', start, field: 'further in the payload, or past its end: a load of packet bytes then fails' };
}

const RETURNS = [
  ['0', 0], ['1', 1], ['its length', Infinity],
];

/** @param {import('./model.js').Model} model */
export function placesView(model) {
  let hook = model.hooks[0];
  let offset = 0;
  let answer = 0;
  const attached = model.run.find((/** @type {any} */ line) => line.kind === 'attached' && line.hook);
  if (attached) hook = model.hooks.find((/** @type {any} */ each) => each.hook === attached.hook) ?? hook;
  const ruler = el('div', { class: 'packet', role: 'img' });
  const about = el('dl', {});
  const hit = el('p', { class: 'hit', 'aria-live': 'polite' });
  const verdict = el('p', { class: 'hit', 'aria-live': 'polite' });
  const select = el('select', { id: 'hook', change: () => {
    hook = model.hooks[Number(select.value)];
    show();
  } }, ...model.hooks.map((/** @type {any} */ each, /** @type {number} */ index) => el('option', { value: index, selected: each === hook }, each.target ? `${each.hook}: ${each.target}` : `${each.hook} (minibpf leaves it out)`)));
  const input = el('input', { type: 'number', id: 'offset', min: 0, max: 1500, value: 0 });
  input.addEventListener('input', () => {
    offset = clamp(Math.trunc(Number(input.value)) || 0, -100000, 100000);
    show();
  });
  const choice = el('select', { id: 'returns', change: () => {
    answer = Number(choice.value);
    show();
  } }, ...RETURNS.map(([name], index) => el('option', { value: index }, name)));

  function show() {
    const packet = packetOf(hook);
    ruler.setAttribute('aria-label', `byte 0 is: ${hook.byte0}`);
    let at = 0;
    fill(ruler, ...(packet ? packet.layers.map((name, index) => {
      const { size, fields } = LAYERS[name];
      const seen = index >= packet.first;
      const start = at;
      if (seen) at += size;
      const inside = seen && offset >= start && offset < start + size;
      const layer = el('div', { class: `layer ${seen ? 'seen' : 'unseen'}${index === packet.first ? ' zero' : ''}` },
        el('span', { class: 'layer-name' }, name === 'payload' ? 'payload' : `${name} header`),
        el('span', { class: 'layer-bytes' }, seen ? `${start} – ${start + size - 1}${name === 'payload' ? ' …' : ''}` : 'not seen'),
        el('div', { class: 'cells' }, ...fields.map(([from, length]) => {
          const cell = el('span', { class: inside && offset - start >= from && offset - start < from + length ? 'on' : '' });
          cell.style.flexGrow = String(length);
          return cell;
        })));
      layer.style.flexGrow = String(size);
      return layer;
    }) : [el('p', {}, ...prose(hook.byte0))]));
    fill(about, ...[
      ['byte 0', hook.byte0], ['returns', hook.returns], ['attach', hook.call], ['detach', hook.detach], ['privileges', hook.privileges], ['since', `Linux ${hook.since}`], ['kernel', hook.kernel], ['left out', hook.left_out ?? ''],
    ].filter(([, text]) => text).flatMap(([name, text]) => [el('dt', {}, name), el('dd', {}, ...prose(text))]));
    const field = packet ? fieldAt(packet, offset) : null;
    fill(hit, ...(field ? [`Byte ${offset} is `, field.layer ? el('strong', {}, `${field.layer}: ${field.field}`) : field.field, packet && packet.layers[packet.first] !== 'Ethernet' && offset === 12 ? '. On AF_PACKET it would be the EtherType: the usual mistake.' : '.'] : ['It depends on the socket.']));
    fill(verdict, ...outcome(hook, RETURNS[answer][0]));
  }
  show();

  return {
    view: el('div', { class: 'places' },
      el('p', { class: 'lead' }, 'A filter sees a packet from a different byte on each kind of socket. What was written for one is wrong on another.'),
      el('div', { class: 'bar' }, el('label', { for: 'hook' }, 'attached to ', select)),
      ruler,
      el('div', { class: 'bar' }, el('label', { for: 'offset' }, 'the filter reads byte ', input), el('label', { for: 'returns' }, 'and returns ', choice)),
      hit, verdict, el('div', { class: 'card' }, about),
      attached ? el('p', { class: 'muted' }, 'In the run it was attached here: ', code(attached.hook), '.') : null),
    shown: show,
  };
}

/** What a return value does at a hook. @param {any} hook @param {string | number} answer @returns {(Node | string)[]} */
function outcome(hook, answer) {
  const counts = /index|how long|does not match/.test(hook.returns);
  const runs = !hook.returns.startsWith('nothing');
  if (!runs) return [`Returns ${answer}: it makes no difference, for the filter never runs here.`];
  if (counts || !/bytes/.test(hook.returns)) return [`Returns ${answer}: here that is no number of bytes but: ${hook.returns}.`];
  const tcp = hook.hook.startsWith('tcp');
  if (answer === '0') return [el('strong', {}, 'Dropped. '), tcp ? 'TCP never hears of it and sends it again, and again: if it was the handshake, connect(2) waits in vain.' : 'The socket never sees it.'];
  if (answer === '1') return [el('strong', {}, 'Cut to the headers. '), tcp ? 'The TCP header stays and the data is cut off. It is not acknowledged, so the peer sends it again: the connection stalls.' : hook.hook.startsWith('udp') ? 'The UDP header stays; the application gets an empty datagram.' : 'One byte is kept.'];
  return [el('strong', {}, 'Kept whole. '), 'What a filter that only counts returns: ', code('skb->len'), '.'];
}
