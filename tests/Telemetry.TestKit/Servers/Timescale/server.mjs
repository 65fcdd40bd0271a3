// A TimescaleDB server of the Community edition for tests: PostgreSQL as WebAssembly, behind PostgreSQL's wire
// protocol. The database has one session. Connections share it and take turns: a turn ends when no transaction is open.
// So a connection that needs what another one's open transaction holds waits for ever. Settings are shared too, and are
// reset when no connection is left. A request to cancel is ignored, and no background worker runs.
//
// Usage: node server.mjs PORT WARNINGS. It listens on 127.0.0.1, asks for no password, and keeps everything in memory.
// Each warning of SQLSTATE 01000 is a line of the file WARNINGS before the client has it.
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { PGlite } from '@electric-sql/pglite';
import { timescaledb } from '@electric-sql/pglite/timescaledb';

const sslRequest = 80877103, encryptionRequest = 80877104, protocol = 196608;
const [port, warnings] = process.argv.slice(2);
const ready = 'Z', idle = 'I'.charCodeAt(0);
// COPY in binary without a row: signature, flags, length of the extension, trailer.
const noRows = Buffer.from('5047434f50590aff0d0a000000000000000000ffff', 'hex');

// A database that failed in itself proves nothing any more.
const database = await PGlite.create({ dataDir: 'memory://', extensions: { timescaledb } });
async function ask(request) {
  try {
    const answer = Buffer.from(await database.execProtocolRaw(request));
    for (const part of split(answer)) if (typeOf(part) === 'N') noteWarning(part);
    return answer;
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}
const execute = sql => ask(message('Q', sql));

function message(type, ...parts) {
  const body = Buffer.concat(parts.map(part => typeof part === 'string' ? Buffer.from(part + '\0') : part));
  const header = Buffer.alloc(5);
  header.write(type, 'latin1');
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

function* split(bytes) {
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    yield bytes.subarray(at, end);
    at = end;
  }
}

// A notice's fields are a letter and a text each. This build warns of each transaction that is rolled back.
function noteWarning(notice) {
  const fields = new Map(notice.subarray(5).toString().split('\0').map(field => [field[0], field.slice(1)]));
  const text = fields.get('M')?.replaceAll('\n', ' ');
  if (fields.get('C') === '01000' && !/^# \d+: aborting transaction/.test(text)) appendFileSync(warnings, text + '\n');
}

const typeOf = bytes => String.fromCharCode(bytes[0]);
const isOpen = answer => answer.length > 0 && answer[answer.length - 1] !== idle;

// The connection whose turn it is, and those that wait for theirs.
let holder = null;
const waiting = [];
const connections = new Set();
let connected = 0;

async function takeTurn(connection) {
  if (holder !== null && holder !== connection) await new Promise(go => waiting.push({ connection, go }));
  holder = connection;
}

function endTurn() {
  const next = waiting.shift();
  holder = next?.connection ?? null;
  next?.go();
}

class Connection {
  prefix = `c${++connected}_`; // Two connections may give statements the same name.
  statements = new Map();
  request = [];
  copy = null;
  started = false;

  constructor(socket) {
    this.socket = socket;
    connections.add(this);
  }

  async run() {
    let bytes = Buffer.alloc(0);
    try {
      for await (const chunk of this.socket) {
        bytes = Buffer.concat([bytes, chunk]);
        for (let whole; (whole = this.next(bytes)) !== null;) {
          bytes = bytes.subarray(whole.length);
          await (this.started ? this.take(whole) : this.start(whole));
        }
      }
    } catch (error) {
      console.error(error);
    }
    this.socket.destroy();
    await this.end();
  }

  next(bytes) {
    const lengthAt = this.started ? 1 : 0; // The first message of a connection has no type.
    const length = bytes.length < lengthAt + 4 ? Infinity : lengthAt + bytes.readInt32BE(lengthAt);
    return bytes.length < length ? null : bytes.subarray(0, length);
  }

  start(bytes) {
    const code = bytes.readInt32BE(4);
    if (code === sslRequest || code === encryptionRequest) {
      this.socket.write('N');
    } else if (code === protocol) {
      this.started = true;
      this.socket.write(Buffer.concat([
        message('R', Buffer.alloc(4)), ...parameters.map(p => message('S', p.name, p.setting)),
        message('K', Buffer.alloc(8)), message(ready, Buffer.from('I')),
      ]));
    } else {
      this.socket.end();
    }
  }

  async take(bytes) {
    const type = typeOf(bytes);
    if (type === 'X') {
      this.socket.end();
    } else if (this.copy !== null) {
      await this.takeCopy(type, bytes);
    } else if (type === 'Q') {
      await takeTurn(this);
      const sql = bytes.subarray(5).toString();
      if (/^\s*COPY\b.*\bFROM\s+STDIN\b/is.test(sql)) await this.beginCopy(bytes, sql);
      else this.answer(await ask(bytes));
    } else {
      this.request.push(this.named(type, bytes));
      if (type === 'S' || type === 'H') {
        await takeTurn(this);
        this.answer(await ask(Buffer.concat(this.request.splice(0))));
      }
    }
  }

  // The database wants a whole COPY at once, and a client sends rows only when it knows the columns: they are learnt
  // from a COPY of no rows.
  async beginCopy(query, sql) {
    const rows = /\bBINARY\b/i.test(sql) ? [message('d', noRows)] : [];
    const answer = await ask(Buffer.concat([query, ...rows, message('c')]));
    const columns = [...split(answer)].find(bytes => typeOf(bytes) === 'G');
    if (columns === undefined) return this.answer(answer);
    this.copy = [Buffer.from(query)];
    this.socket.write(columns);
  }

  async takeCopy(type, bytes) {
    if (type === 'S' || type === 'H') return; // As a server does during COPY.
    this.copy.push(Buffer.from(bytes));
    if (type === 'd') return;
    const answer = await ask(Buffer.concat(this.copy));
    this.copy = null;
    this.answer(Buffer.concat([...split(answer)].filter(part => typeOf(part) !== 'G')));
  }

  answer(bytes) {
    this.socket.write(bytes);
    if (!isOpen(bytes)) endTurn();
  }

  // The same message with this connection's own name of the statement; the statement without a name stays.
  named(type, bytes) {
    const kind = type === 'D' || type === 'C' ? bytes.subarray(5, 6) : Buffer.alloc(0);
    const portalEnd = type === 'B' ? bytes.indexOf(0, 5) + 1 : 5 + kind.length;
    if (!'PBDC'.includes(type) || kind.toString() === 'P' || bytes[portalEnd] === 0) return Buffer.from(bytes);
    const name = this.prefix + bytes.subarray(portalEnd, bytes.indexOf(0, portalEnd)).toString();
    if (type === 'P') this.statements.set(name, message('C', Buffer.from('S'), name));
    return message(type, bytes.subarray(5, portalEnd), Buffer.from(this.prefix), bytes.subarray(portalEnd));
  }

  async end() {
    await takeTurn(this);
    await execute('ROLLBACK'); // A warning where there is no transaction.
    await ask(Buffer.concat([...this.statements.values(), message('S')]));
    connections.delete(this);
    if (connections.size === 0) await execute(reset);
    endTurn();
  }
}

// Without LOAD the extension's tables look empty.
await execute("LOAD 'timescaledb'");
await execute('CREATE EXTENSION timescaledb');
const reset = 'RESET ALL; SET search_path TO public';
await execute(reset);
const parameters = (await database.query(
  "SELECT name, setting FROM pg_settings WHERE name IN ('server_version', 'server_encoding', 'client_encoding',"
  + " 'DateStyle', 'IntervalStyle', 'integer_datetimes', 'standard_conforming_strings', 'TimeZone')")).rows;
createServer({ noDelay: true }, socket => new Connection(socket).run()).listen(Number(port), '127.0.0.1');
