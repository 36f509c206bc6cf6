/** Brings a history along: a file from another trainer, or what the first version of this one kept here. */

import { Refusal } from './session.js';

/**
 * @import { Session } from './session.js'
 *
 * @typedef {'monkeytype'|'keybr'|'typeracer'|'browser'} Trainer
 *
 * @typedef {object} Imported one result; times in ms and Unix ms
 * @property {number} finished_at
 * @property {string} mode
 * @property {string|null} language
 * @property {number} wpm
 * @property {number} accuracy
 * @property {number} errors
 * @property {number} duration_ms 0 if nobody knows
 *
 * @typedef {object} Report as `POST /imports` gives it
 * @property {Trainer} imported_from
 * @property {boolean} preview nothing is stored yet
 * @property {number} rows
 * @property {number} good
 * @property {number} bad
 * @property {number} known
 * @property {number} new
 * @property {number|null} first_at
 * @property {number|null} last_at
 * @property {number} chars
 * @property {number} duration_ms
 * @property {number} key_presses
 * @property {number|null} wpm
 * @property {number|null} best_wpm
 * @property {number|null} accuracy
 * @property {'day'|'month'} chart_by
 * @property {{date: string, attempts: number, wpm: number, accuracy: number}[]} chart
 * @property {Imported[]} first
 * @property {{row: number, code: string, field: string|null}[]} bad_rows
 * @property {OldSettings} settings taken over, or about to be
 *
 * @typedef {object} OldSettings what was chosen in the first version, as far as there is a place for it
 * @property {string|null} [theme]
 * @property {string|null} [language]
 * @property {string|null} [layout]
 * @property {object|null} [goals]
 */

export const BYTES_MAX = 20_000_000;
const URL_OF_IMPORTS = '/api/v1/imports';
const PREFIX = 'typing_trainer_';
const HISTORY = `${PREFIX}test_history`;
const SETTINGS = `${PREFIX}user_settings`;
/** @type {(keyof OldSettings)[]} */
export const CARRIED = ['theme', 'language', 'layout', 'goals'];

/**
 * What a file says, or with `preview` false what has become of it. Rejects with Refusal or TypeError.
 * @param {Session} session
 * @param {Blob} file
 * @param {{preview: boolean, progress: (share: number) => void}} options the share that has been sent
 * @returns {Promise<Report>}
 */
export async function sendFile(session, file, { preview, progress }) {
  if (file.size > BYTES_MAX) throw new Refusal(413, { code: 'too_large' }, null);
  const url = URL_OF_IMPORTS + (preview ? '?preview=true' : '');
  const token = await session.read();
  let answer = await sent(url, file, token, progress);
  if (answer.status === 401 && token !== null) {
    session.refused();
    answer = await sent(url, file, await session.read(), progress);
  }
  const body = JSON.parse(answer.body || 'null');
  if (answer.status === 200) return body;
  throw new Refusal(answer.status, body?.error ?? {}, answer.retryS);
}

/**
 * Only this way of asking tells how much has been sent.
 * @param {string} url
 * @param {Blob} file
 * @param {string|null} token
 * @param {(share: number) => void} progress
 * @returns {Promise<{status: number, body: string, retryS: number|null}>}
 */
function sent(url, file, token, progress) {
  return new Promise((answered, failed) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    if (token !== null) request.setRequestHeader('authorization', `Bearer ${token}`);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 1);
    request.onload = () =>
      answered({
        status: request.status,
        body: request.responseText,
        retryS: Number(request.getResponseHeader('retry-after')) || null,
      });
    request.onerror = () => failed(new TypeError('The server gave no answer.'));
    request.send(file);
  });
}

/** What the first version of this trainer left in this browser. */
export class OldResults {
  #storage;

  /** @param {Storage|null} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /** How many results there are. */
  get count() {
    return this.#history.length;
  }

  /** The settings that stand beside them, as they were written. @returns {OldSettings} */
  get settings() {
    const settings = this.#value(SETTINGS);
    return settings !== null && typeof settings === 'object' && !Array.isArray(settings) ? settings : {};
  }

  /**
   * Bring them along, but for the settings that have been chosen anew. They stay here until the server has all of them, and for good if it cannot read some.
   * Rejects as `Session.ask` does.
   * @param {Session} session
   * @param {(keyof OldSettings)[]} chosen
   * @returns {Promise<Report>}
   */
  async bring(session, chosen) {
    const body = Object.fromEntries(this.#names.map((name) => [name, this.#value(name)]));
    if (SETTINGS in body)
      body[SETTINGS] = { ...this.settings, ...Object.fromEntries(chosen.map((one) => [one, null])) };
    const answer = await session.ask('POST', '/users/migrate-from-localstorage', body);
    if (answer.report.bad === 0) for (const name of this.#names) this.#storage?.removeItem(name);
    return answer.report;
  }

  /** @returns {unknown[]} */
  get #history() {
    const history = this.#value(HISTORY);
    return Array.isArray(history) ? history : [];
  }

  get #names() {
    return Object.keys(this.#storage ?? {}).filter((name) => name.startsWith(PREFIX));
  }

  /** @param {string} name @returns {unknown} what stands there, which may be a bare word */
  #value(name) {
    const written = this.#storage?.getItem(name) ?? null;
    try {
      return JSON.parse(written ?? 'null');
    } catch {
      return written;
    }
  }
}
