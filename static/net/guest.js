/** Somebody who comes without having typed: the server knows people by what it gave them at a `hello`. */

import { CLIENT, SUBPROTOCOL } from './protocol.js';

/**
 * @import { Session } from './session.js'
 */

/**
 * Who is nobody yet becomes a guest. Rejects with TypeError when the server cannot be reached.
 * @param {Session} session
 * @param {string} url of the live connection
 */
export async function becomeGuest(session, url) {
  if (session.known) return;
  const socket = new WebSocket(url, [SUBPROTOCOL]);
  try {
    session.write(await greeted(socket));
  } finally {
    socket.close();
  }
}

/** @param {WebSocket} socket @returns {Promise<string>} the guest's token */
function greeted(socket) {
  return new Promise((welcome, refuse) => {
    socket.onopen = () => socket.send(JSON.stringify({ type: 'hello', client: CLIENT }));
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'welcome') welcome(message.token);
    };
    socket.onclose = () => refuse(new TypeError('The server gave no answer.'));
  });
}
