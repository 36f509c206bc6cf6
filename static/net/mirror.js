/** A copy of what is not yet settled, in the browser's storage: a closed tab loses nothing. */

const TOKEN = 'typing.token';
const HEAD = 'typing.attempt.';
const CHUNK = 'typing.events.';
// Small, because the chunk being filled is written again at each key.
const EVENTS_PER_CHUNK = 32;

/**
 * @typedef {object} Kept one attempt as it was found in storage
 * @property {object} head
 * @property {[number, string][]} events
 * @property {number} touchedAtMs when it was last typed in, or opened
 * @property {number|null} lastAtMs when the last event was typed
 */

/** Storage may be missing, full or forbidden: then typing goes on without it. */
export class Mirror {
  #storage;
  /** The attempts that no longer fit: half a copy is worth having, a hole in one is not. */
  #full = new Set();

  /** @param {Storage|null} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  get token() {
    return {
      read: () => this.#read(TOKEN),
      write: (token) => (token === null ? this.#remove(TOKEN) : this.#write(TOKEN, token)),
    };
  }

  /**
   * Write what is known of an attempt besides its events.
   * @param {{id: string}} head
   */
  keepHead(head) {
    if (!this.#write(HEAD + head.id, JSON.stringify(head))) this.#full.add(head.id);
  }

  /**
   * Write the newest events of an attempt: only the chunk that they fill.
   * @param {string} id
   * @param {[number, string][]} events all of them
   * @param {number} lastAtMs
   */
  keepLast(id, events, lastAtMs) {
    if (events.length > 0) this.#keepChunk(id, events, lastAtMs, chunkOf(events.length - 1));
  }

  /** Write all events again, after their history has changed. */
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
    const head = parsed(this.#read(HEAD + id));
    if (head?.id !== id) return null;
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

  #keepChunk(id, events, lastAtMs, chunk) {
    if (this.#full.has(id)) return;
    const start = chunk * EVENTS_PER_CHUNK;
    const kept = { last_at_ms: lastAtMs, events: events.slice(start, start + EVENTS_PER_CHUNK) };
    if (!this.#write(chunkKey(id, chunk), JSON.stringify(kept))) this.#full.add(id);
  }

  #removeChunks(id) {
    const prefix = `${CHUNK}${id}.`;
    for (const key of this.#keys()) if (key.startsWith(prefix)) this.#remove(key);
  }

  #keys() {
    return this.#tried(() => {
      const count = this.#storage.length;
      return Array.from({ length: count }, (_, i) => this.#storage.key(i) ?? '');
    }, []);
  }

  #read(key) {
    return this.#tried(() => this.#storage.getItem(key), null);
  }

  #write(key, value) {
    return this.#tried(() => {
      this.#storage.setItem(key, value);
      return true;
    }, false);
  }

  #remove(key) {
    this.#tried(() => this.#storage.removeItem(key), null);
  }

  #tried(act, otherwise) {
    if (!this.#storage) return otherwise;
    try {
      return act();
    } catch {
      return otherwise;
    }
  }
}

function chunkOf(index) {
  return Math.floor(index / EVENTS_PER_CHUNK);
}

function chunkKey(id, chunk) {
  return `${CHUNK}${id}.${chunk}`;
}

function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

function isChunk(kept) {
  return Number.isInteger(kept?.last_at_ms) && Array.isArray(kept.events) && kept.events.every(isEvent);
}

function isEvent(event) {
  return Number.isInteger(event?.[0]) && event[0] >= 0 && typeof event[1] === 'string';
}
