/** An answer that is too long to wait for in silence. */

/**
 * All of it. Rejects with TypeError when the network breaks off: half a file is none.
 * @param {Response} response
 * @param {(bytes: number) => void} progress how much has come
 * @returns {Promise<Blob>}
 */
export async function received(response, progress) {
  /** @type {BlobPart[]} */
  const pieces = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  for (let piece = await reader?.read(); piece?.value; piece = await reader?.read()) {
    pieces.push(piece.value);
    bytes += piece.value.length;
    progress(bytes);
  }
  return new Blob(pieces, { type: response.headers.get('content-type') ?? '' });
}
