// A stand-in for `signet serve`: the same answers over a made-up collection of any size, and faults on demand. The page's tests use
// it for what a real service is too small, too slow or too healthy to show.
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { deflateSync } from 'node:zlib';

const kBits = 32;
const kClasses = ['apple', 'boat', 'cloud', 'door', 'engine', 'fern', 'glove', 'house'];
// The service's own (src/serve/api_routes.cc).
const kPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const kTypes = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.txt': 'text/plain' };

/** A well-mixed 32-bit number for every n. */
function mixed(n) {
  n = Math.imul(n ^ (n >>> 16), 0x45d9f3b);
  n = Math.imul(n ^ (n >>> 16), 0x45d9f3b);
  return (n ^ (n >>> 16)) >>> 0;
}

const classOf = (id) => (id - 1) % kClasses.length;

/** A code near that of its class: two or three bits beside. */
function codeOf(id) {
  const noise = mixed(id);
  return (mixed(7919 * (classOf(id) + 1)) ^ (1 << (noise & 31)) ^ (1 << ((noise >> 5) & 31)) ^ ((noise >> 10) & 1 ? 1 << ((noise >> 11) & 31) : 0)) >>> 0;
}

const hex = (code) => [0, 8, 16, 24].map((shift) => ((code >>> shift) & 255).toString(16).padStart(2, '0')).join('');

function unhex(text) {
  return (parseInt(text.slice(0, 2), 16) | (parseInt(text.slice(2, 4), 16) << 8) | (parseInt(text.slice(4, 6), 16) << 16) | (parseInt(text.slice(6, 8), 16) << 24)) >>> 0;
}

function distance(a, b) {
  let bits = a ^ b;
  let count = 0;
  for (; bits; bits &= bits - 1) count++;
  return count;
}

// One name in 89 is no UTF-8: shown with U+FFFD, and not found again by what is shown.
const keyOf = (id) => `/pictures/${kClasses[classOf(id)]}/${id % 89 === 0 ? '\ufffd' : ''}${String(id).padStart(7, '0')}.png`;
const idOf = (key) => Number(/^[^\ufffd]*?(\d+)\.png$/.exec(key)?.[1] ?? 0);
const imageOf = (id) => ({ id, key: keyOf(id), label: kClasses[classOf(id)], code: hex(codeOf(id)), width: 48, height: 48, bytes: 900 + (mixed(id) % 400) });

/** RGB pixels as a PNG. */
function png(width, height, pixel) {
  const raw = Buffer.alloc(height * (3 * width + 1));
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) raw.set(pixel(x, y), y * (3 * width + 1) + 1 + 3 * x);
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), body.length + 4);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('IDAT', deflateSync(raw)), chunk('IEND', Buffer.alloc(0))]);
}

function crc(data) {
  let c = ~0;
  for (const byte of data) {
    c ^= byte;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return ~c >>> 0;
}

/** A disc on a ground; hue by class, size and place by id. */
export function pictureOf(id) {
  const noise = mixed(id);
  const hue = (classOf(id) * 360) / kClasses.length;
  const tint = (shift) => 128 + 110 * Math.cos(((hue + shift) * Math.PI) / 180);
  const disc = [tint(0), tint(120), tint(240)];
  const [cx, cy, r] = [16 + (noise % 16), 16 + ((noise >> 4) % 16), 8 + ((noise >> 8) % 9)];
  return png(48, 48, (x, y) => (Math.hypot(x - cx, y - cy) < r ? disc : [236 - y, 234 - y, 228 - y]));
}

class Refusal extends Error {
  constructor(status, title, detail, retryAfter) {
    super(detail);
    Object.assign(this, { status, title, detail, retryAfter });
  }
}

/** `faults` maps a path prefix to a refusal [status, title, detail, seconds to wait], `delays` to milliseconds; tests change both while the server runs. */
export function makeDouble({ images = 1000, dist, canEncode = true, duplicates = true, writable = true, key = '', faults = new Map(), delays = new Map() }) {
  const verdicts = new Map();
  const log = [];
  const collection = () => ({
    name: 'pictures',
    bits: kBits,
    images,
    segments: 3,
    model: { fingerprint: 'd0'.repeat(32), preprocessing: { width: 48, height: 48, channels: 3 } },
    labels: kClasses.map((label, i) => ({ label, count: Math.floor((images + kClasses.length - 1 - i) / kClasses.length) })).filter((l) => l.count),
    writable,
    can_encode: canEncode,
    duplicate_levels: duplicates ? ['same-bytes', 'same-pixels', 'near-duplicate'] : ['same-class'],
  });

  const search = ({ code, key: from, id = idOf(from ?? ''), k = 10, radius, labels }) => {
    if (code === undefined && !(id >= 1 && id <= images)) throw new Refusal(404, 'No such image', `The collection has no image ${from ?? id}.`);
    if (code !== undefined && !/^[0-9a-f]{8}$/.test(code)) throw new Refusal(400, 'Bad code', `"${code}" is not 8 hex digits, which a code of ${kBits} bits has.`);
    const query = code !== undefined ? unhex(code) : codeOf(id);
    const hits = [];
    for (let id = 1; id <= Math.min(images, 20000); id++) {
      if (labels?.length && !labels.includes(kClasses[classOf(id)])) continue;
      const d = distance(codeOf(id), query);
      if (radius === undefined || d <= radius) hits.push({ ...imageOf(id), distance: d });
    }
    hits.sort((a, b) => a.distance - b.distance || a.id - b.id);
    return { query: { bits: kBits, code: hex(query) }, total: Math.min(k, hits.length), offset: 0, hits: hits.slice(0, k), statistics: { index: 'flat', kernel: 'none', milliseconds: 0.4, candidates: images } };
  };

  const page = (query) => {
    const label = query.get('label');
    const step = label === null ? 1 : kClasses.length;
    const first = label === null ? 1 : kClasses.indexOf(label) + 1;
    const total = first < 1 ? 0 : Math.max(0, Math.floor((images - first) / step) + 1);
    const limit = Math.min(Number(query.get('limit') ?? 100), 1000);
    const after = query.get('after');
    const offset = after === null ? Number(query.get('offset') ?? 0) : Math.max(0, Math.floor((Number(after) - first) / step) + 1);
    const rows = Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, i) => imageOf(first + step * (offset + i)));
    return { total, images: rows, next: rows.length === limit ? rows[rows.length - 1].id : null };
  };

  const map = (limit) => {
    const n = Math.min(limit, images);
    const points = Array.from({ length: n }, (_, i) => {
      const id = Math.min(images, 1 + Math.floor((i * images) / n) + (n < images ? mixed(i) % Math.floor(images / n) : 0));
      const [a, noise] = [(2 * Math.PI * classOf(id)) / kClasses.length, mixed(id)];
      const spread = 0.28 * Math.sqrt((noise & 1023) / 1023);
      const turn = ((noise >> 10) & 1023) / 163;
      return [id, 0.62 * Math.cos(a) + spread * Math.cos(turn), 0.62 * Math.sin(a) + spread * Math.sin(turn), classOf(id)];
    });
    return { points, labels: kClasses };
  };

  const groups = (query) => {
    const all = Array.from({ length: Math.min(60, Math.floor(images / 24)) }, (_, g) => {
      const ids = g % 3 === 0 ? [24 * g + 1, 24 * g + 9, 24 * g + 17] : [24 * g + 1, 24 * g + 9];
      const others = ids.slice(1).map((id, i) => ({ ...imageOf(id), distance: i + 1, level: 'near-duplicate', verdict: verdicts.get(`${ids[0]} ${id}`) ?? null }));
      return { keep: imageOf(ids[0]), others: others.filter(({ verdict }) => verdict !== false) };
    }).filter((group) => group.others.length > 0);
    for (const group of all) group.size = group.others.length;
    const offset = Number(query.get('offset') ?? 0);
    return { level: query.get('level'), radius: Number(query.get('radius') ?? 2), total: all.length, others: all.reduce((sum, { size }) => sum + size, 0), offset, groups: all.slice(offset, offset + Number(query.get('limit') ?? 50)) };
  };

  const decide = (method, pair, body) => {
    const [a, b] = pair.split('-').map(Number).sort((x, y) => x - y);
    const before = verdicts.get(`${a} ${b}`) ?? null;
    if (method === 'DELETE') return verdicts.delete(`${a} ${b}`), {};
    const { duplicate } = JSON.parse(body);
    verdicts.set(`${a} ${b}`, duplicate);
    return { a, b, duplicate, before };
  };

  const answer = (request, url, body) => {
    const path = url.pathname.slice(1);
    if (key && request.headers.authorization !== `Bearer ${key}`) throw new Refusal(401, 'A key is needed', 'Send the read key as Authorization: Bearer KEY.');
    if (path === 'v1/collection') return collection();
    if (path === 'v1/search') return search(JSON.parse(body));
    if (path === 'v1/encode') {
      if (body.length === 0 || !(body[0] === 0x89 || body[0] === 0xff)) throw new Refusal(422, 'Not a picture', `The ${body.length} bytes are no PNG, JPEG, WebP, BMP or TIFF.`);
      return { bits: kBits, code: hex(codeOf(1 + (body.length % images))), outputs: [] };
    }
    if (path === 'v1/images') return page(url.searchParams);
    if (path.startsWith('v1/images/')) {
      const id = idOf(decodeURIComponent(path.slice(10)));
      if (id < 1 || id > images) throw new Refusal(404, 'No such image', `The collection has no image ${decodeURIComponent(path.slice(10))}.`);
      return imageOf(id);
    }
    if (path === 'v1/map') return map(Number(url.searchParams.get('limit')));
    if (path === 'v1/duplicates') return groups(url.searchParams);
    if (path.startsWith('v1/verdicts/')) return decide(request.method, path.slice(12), body);
    throw new Refusal(404, 'No such address', `There is nothing at ${url.pathname}.`);
  };

  const sendFile = (response, url) => {
    const file = join(dist, normalize(url.pathname === '/' ? 'index.html' : url.pathname));
    if (!file.startsWith(dist) || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': kTypes[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': kPolicy, 'X-Content-Type-Options': 'nosniff' });
    return createReadStream(file).pipe(response);
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://double');
    log.push(`${request.method} ${url.pathname}${url.search}`);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const path = url.pathname.slice(1);
    for (const [prefix, delay] of delays) if (path.startsWith(prefix)) await new Promise((resolve) => setTimeout(resolve, delay));
    const thumbnail = /^v1\/thumbnails\/(\d+)$/.exec(path);
    if (!path.startsWith('v1/')) {
      sendFile(response, url);
    } else {
      try {
        for (const [prefix, refusal] of faults) if (path.startsWith(prefix)) throw new Refusal(...refusal);
        if (thumbnail && Number(thumbnail[1]) % 97 !== 0) return response.writeHead(200, { 'Content-Type': 'image/png' }).end(pictureOf(Number(thumbnail[1])));
        const value = answer(request, url, Buffer.concat(chunks));
        response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
      } catch (error) {
        const status = error.status ?? 500;
        response
          .writeHead(status, { 'Content-Type': 'application/problem+json', ...(error.retryAfter && { 'Retry-After': error.retryAfter }) })
          .end(JSON.stringify({ type: 'about:blank', title: error.title ?? 'Error', status, detail: error.detail ?? String(error), request_id: 'r-0001' }));
      }
    }
  });
  return {
    log,
    verdicts,
    faults,
    delays,
    grow: (count) => void (images = count),
    start: (port = 0) => new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}/`))),
    stop: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}
