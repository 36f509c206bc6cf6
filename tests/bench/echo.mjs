// Echo servers in Node: `node echo.mjs ws|socket.io PORT`.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { WebSocketServer } from 'ws';

const [kind, port] = process.argv.slice(2);
const http = createServer((_request, response) => response.end());

if (kind === 'ws') {
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  server.on('connection', (socket) => {
    socket.on('message', (data) => socket.send(data, { binary: false }));
  });
} else {
  const server = new Server(http, { transports: ['websocket'] });
  server.on('connection', (socket) => {
    socket.on('keys', (message) => socket.emit('keys', message));
  });
}

http.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
