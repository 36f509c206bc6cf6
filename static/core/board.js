/** Which leaderboards there are: one for each length of time and of words, and one for each text. */

export const BOARDS = ['time:15', 'time:30', 'time:60', 'time:120', 'words:10', 'words:25', 'words:50', 'words:100'];

/**
 * The leaderboard for what was typed, or null if there is none.
 * @param {{kind: string, seconds?: number, count?: number, text?: string}} source
 */
export function boardOf({ kind, seconds, count, text }) {
  if (kind === 'text') return `text:${text}`;
  return BOARDS.find((board) => board === `${kind}:${seconds ?? count}`) ?? null;
}

/**
 * What is typed on a board; null if there is no such board.
 * @param {string} board
 */
export function sourceOf(board) {
  const [kind, ...rest] = board.split(':');
  const parameter = rest.join(':');
  if (kind === 'text' && /^[A-Za-z0-9_.-]{1,64}$/.test(parameter)) return { kind, text: parameter };
  if (!BOARDS.includes(board)) return null;
  return kind === 'time' ? { kind, seconds: Number(parameter) } : { kind, count: Number(parameter) };
}
