/** A copy of what is not yet settled, in the browser's storage: a closed tab loses nothing. */

const HEAD = 'typing.attempt.';
const CHUNK = 'typing.events.';
// Small, because the chunk being filled is written again at each key.
const EVENTS_PER_CHUNK = 32;

/**
 * @import { Head } from './attempt_log.js'
 * @import { Event } from './protocol.js'
 *
 * @typedef {{last_at_ms: number, events: Event[]}} Chunk
 *
 * @typedef {object} Kept one attempt as it was found in storage
 * @property {Head} head
 * @property {Event[]} events
 * @property {number} touchedAtMs when it was last typed in, or opened
 * @property {number|null} lastAtMs when the last event was typed
 */

/** Storage may be missing, full or forbidden: then typing goes on without it. */
export class Mirror {
  /** @type {Storage | null} */
  #storage;
  /** @type {Set<string>} The attempts that no longer fit: half a copy is worth having, a hole in one is not. */
  #full = new Set();

  /** @param {Storage|null} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /**
   * Write what is known of an attempt besides its events.
   * @param {Head} head
   */
  keepHead(head) {
    if (!this.#write(HEAD + head.id, JSON.stringify(head))) this.#full.add(head.id);
  }

  /**
   * Write the newest events of an attempt: only the chunk that they fill.
   * @param {string} id
   * @param {Event[]} events all of them
   * @param {number|null} lastAtMs
   */
  keepLast(id, events, lastAtMs) {
    if (events.length > 0) this.#keepChunk(id, events, lastAtMs, chunkOf(events.length - 1));
  }

  /**
   * Write all events again, after their history has changed.
   * @param {string} id
   * @param {Event[]} events
   * @param {number | null} lastAtMs
   */
  keepAll(id, events, lastAtMs) {
    this.#removeChunks(id);
    this.#full.delete(id);
    const chunks = Math.ceil(events.length / EVENTS_PER_CHUNK);
    for (let chunk = 0; chunk < chunks; chunk += 1) this.#keepChunk(id, events, lastAtMs, chunk);
  }

  /** @param {string} id */
  forget(id) {
    this.#remove(HEAD + id);
    this.#removeChunks(id);
    this.#full.delete(id);
  }

  /** Nothing that anybody typed here is kept any more. */
  clear() {
    for (const key of this.#keys()) if (key.startsWith(HEAD) || key.startsWith(CHUNK)) this.#remove(key);
    this.#full.clear();
  }

  /**
   * All attempts in storage, the one touched last first.
   * @returns {Kept[]}
   */
  all() {
    const ids = this.#keys().filter((key) => key.startsWith(HEAD));
    return ids
      .map((key) => this.find(key.slice(HEAD.length)))
      .filter((kept) => kept !== null)
      .sort((a, b) => b.touchedAtMs - a.touchedAtMs);
  }

  /**
   * @param {string} id
   * @returns {Kept|null}
   */
  find(id) {
    /** @type {Head|null} */
    const head = parsed(this.#read(HEAD + id));
    if (head?.id !== id) return null;
    /** @type {Event[]} */
    const events = [];
    let lastAtMs = null;
    for (let chunk = 0; events.length === chunk * EVENTS_PER_CHUNK; chunk += 1) {
      const kept = parsed(this.#read(chunkKey(id, chunk)));
      if (!isChunk(kept)) break;
      events.push(...kept.events);
      lastAtMs = kept.last_at_ms;
    }
    return { head, events, lastAtMs, touchedAtMs: lastAtMs ?? head.opened_at_ms ?? 0 };
  }

  /** @param {string} id @param {Event[]} events @param {number | null} lastAtMs @param {number} chunk */
  #keepChunk(id, events, lastAtMs, chunk) {
    if (this.#full.has(id)) return;
    const start = chunk * EVENTS_PER_CHUNK;
    const kept = { last_at_ms: lastAtMs, events: events.slice(start, start + EVENTS_PER_CHUNK) };
    if (!this.#write(chunkKey(id, chunk), JSON.stringify(kept))) this.#full.add(id);
  }

  /** @param {string} id */
  #removeChunks(id) {
    const prefix = `${CHUNK}${id}.`;
    for (const key of this.#keys()) if (key.startsWith(prefix)) this.#remove(key);
  }

  #keys() {
    return this.#tried((storage) => Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? ''), []);
  }

  /** @param {string} key */
  #read(key) {
    return this.#tried((storage) => storage.getItem(key), null);
  }

  /** @param {string} key @param {string} value */
  #write(key, value) {
    return this.#tried((storage) => {
      storage.setItem(key, value);
      return true;
    }, false);
  }

  /** @param {string} key */
  #remove(key) {
    this.#tried((storage) => storage.removeItem(key), undefined);
  }

  /**
   * @template T
   * @param {(storage: Storage) => T} act
   * @param {T} otherwise
   */
  #tried(act, otherwise) {
    if (!this.#storage) return otherwise;
    try {
      return act(this.#storage);
    } catch {
      return otherwise;
    }
  }
}

/** @param {number} index */
function chunkOf(index) {
  return Math.floor(index / EVENTS_PER_CHUNK);
}

/** @param {string} id @param {number} chunk */
function chunkKey(id, chunk) {
  return `${CHUNK}${id}.${chunk}`;
}

/** @param {string|null} json */
function parsed(json) {
  try {
    return JSON.parse(json ?? 'null');
  } catch {
    return null;
  }
}

/**
 * @param {Partial<Chunk>|null} kept
 * @returns {kept is Chunk}
 */
function isChunk(kept) {
  return Number.isInteger(kept?.last_at_ms) && Array.isArray(kept?.events) && kept.events.every(isEvent);
}

/** @param {Event} event as it should be */
function isEvent(event) {
  return Number.isInteger(event?.[0]) && event[0] >= 0 && typeof event[1] === 'string';
}
