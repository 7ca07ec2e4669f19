import { crc32, deflateRawSync } from 'node:zlib';

/** One entry of a zip for tests; everything but the name can be made to lie. */
export interface CraftedEntry {
  name: string;
  content?: string | Buffer;
  mode?: number;
  stored?: boolean;
  method?: number;
  flags?: number;
  crc?: number;
  declaredBytes?: number;
}

const UTF8 = 0x0800;
const MADE_BY_UNIX = (3 << 8) | 20;

interface Fields {
  name: Buffer;
  data: Buffer;
  method: number;
  flags: number;
  crc: number;
  size: number;
  mode: number;
}

function fieldsOf(entry: CraftedEntry): Fields {
  const content = Buffer.from(entry.content ?? '');
  const stored = entry.stored ?? entry.name.endsWith('/');
  return {
    name: Buffer.from(entry.name),
    data: stored ? content : deflateRawSync(content),
    method: entry.method ?? (stored ? 0 : 8),
    flags: UTF8 | (entry.flags ?? 0),
    crc: entry.crc ?? crc32(content),
    size: entry.declaredBytes ?? content.length,
    mode: entry.mode ?? (entry.name.endsWith('/') ? 0o040755 : 0o100644),
  };
}

/** What the local header and the central directory have in common. */
function sharedPart({ flags, method, crc, data, size, name }: Fields): Buffer {
  const part = Buffer.alloc(26);
  part.writeUInt16LE(20, 0);
  part.writeUInt16LE(flags, 2);
  part.writeUInt16LE(method, 4);
  part.writeUInt32LE(crc, 10);
  part.writeUInt32LE(data.length, 14);
  part.writeUInt32LE(size, 18);
  part.writeUInt16LE(name.length, 22);
  return part;
}

function centralRecord(fields: Fields, offset: number): Buffer {
  const head = Buffer.from([0x50, 0x4b, 1, 2, 0, 0]);
  head.writeUInt16LE(MADE_BY_UNIX, 4);
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE((fields.mode << 16) >>> 0, 6);
  tail.writeUInt32LE(offset, 10);
  return Buffer.concat([head, sharedPart(fields), tail, fields.name]);
}

/** The bytes of a zip with these entries, legal or not. */
export function craftZip(entries: CraftedEntry[]): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const fields = fieldsOf(entry);
    central.push(centralRecord(fields, offset));
    const local = Buffer.concat([
      Buffer.from([0x50, 0x4b, 3, 4]),
      sharedPart(fields),
      fields.name,
      fields.data,
    ]);
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}
