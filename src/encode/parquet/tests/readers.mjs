// Three readers that nobody here wrote, each giving a file's cells in one spelling: null, a string, or an array of these.
//   bool true|false; integers and unscaled decimals in digits; dates in days, times and timestamps in microseconds;
//   floats as JavaScript writes them (-0 as -0); bytes and uuids in hexadecimal; text and json as they are.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

export const modules = process.env.LONGSHORE_READERS;
const require = createRequire(path.join(modules, 'x.js'));
const load = (name) => import(pathToFileURL(path.join(modules, name)).href);

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const float = (value) => (Object.is(value, -0) ? '-0' : String(value));

// --- DuckDB

const { DuckDBInstance } = require('@duckdb/node-api');
export const duckdb = await (await DuckDBInstance.create(':memory:')).connect();
await duckdb.run("SET TimeZone = 'UTC'");
export const query = async (sql) => (await duckdb.runAndReadAll(sql)).getRows();

function duckdbCell(value) {
  if (value === null) return null;
  if (typeof value === 'number') return float(value);
  if (typeof value !== 'object') return String(value);
  switch (value.constructor.name) {
    case 'DuckDBListValue': return value.items.map(duckdbCell);
    case 'DuckDBBlobValue': return hex(value.bytes);
    case 'DuckDBDateValue': return String(value.days);
    case 'DuckDBDecimalValue': return String(value.value);
    case 'DuckDBTimeValue': case 'DuckDBTimestampValue': case 'DuckDBTimestampTZValue': return String(value.micros);
    case 'DuckDBUUIDValue': return value.toString().replaceAll('-', '');
  }
  throw new Error(`DuckDB gave a ${value.constructor.name}`);
}

export async function readWithDuckdb(file) {
  return (await query(`SELECT * FROM '${file}'`)).map((row) => row.map(duckdbCell));
}

// --- hyparquet

export const hyparquet = await load('hyparquet/src/index.js');
export const { compressors } = await load('hyparquet-compressors/src/index.js');

const { deserializeTCompactProtocol } = await load('hyparquet/src/thrift.js');

/// A struct in Thrift's compact protocol as {field_1: …}.
export function readThrift(bytes) {
  return deserializeTCompactProtocol({ view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 });
}

const parsers = {
  timestampFromMicroseconds: (micros) => String(micros),
  dateFromDays: (days) => String(days),
  jsonFromBytes: (bytes) => new TextDecoder('utf-8', { fatal: true }).decode(bytes),
  stringFromBytes: (bytes) => new TextDecoder('utf-8', { fatal: true }).decode(bytes),
  uuidFromBytes: hex,
};

/// A file in memory that remembers which bytes were asked for.
export function inMemory(bytes) {
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const asked = [];
  return {
    byteLength: buffer.byteLength,
    asked,
    slice(begin, end = buffer.byteLength) {
      asked.push([begin < 0 ? buffer.byteLength + begin : begin, end]);
      return buffer.slice(begin, end);
    },
  };
}

function signed(bytes) {
  return String(BigInt.asIntN(8 * bytes.length, BigInt('0x' + hex(bytes))));
}

function hyparquetCell(value, element) {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map((each) => hyparquetCell(each, element));
  if (value instanceof Uint8Array) return element.wasDecimal ? signed(value) : hex(value);
  if (typeof value === 'number') return float(value);
  return String(value);
}

export async function readWithHyparquet(file) {
  const buffer = inMemory(fs.readFileSync(file));
  const metadata = await hyparquet.parquetMetadataAsync(buffer);
  // Its decimals are doubles; without the annotation it gives the stored integers.
  for (const element of metadata.schema) {
    if (element.converted_type !== 'DECIMAL') continue;
    delete element.converted_type;
    delete element.logical_type;
    element.wasDecimal = true;
  }
  const top = [];
  const leaves = {};
  for (let i = 1; i < metadata.schema.length; ++i) {
    const name = metadata.schema[i].name;
    top.push(name);
    while (metadata.schema[i].num_children) ++i;
    leaves[name] = metadata.schema[i];
  }
  const rows = [];
  // utf8: false keeps plain BYTE_ARRAY columns bytes.
  await hyparquet.parquetRead({
    file: buffer, metadata, compressors, parsers, utf8: false, rowFormat: 'object',
    onComplete: (found) => rows.push(...found),
  });
  return rows.map((row) => top.map((name) => hyparquetCell(row[name], leaves[name])));
}

// --- parquet-wasm (arrow-rs), looked at through apache-arrow

const wasm = await load('parquet-wasm/node/parquet_wasm.js');
const arrow = require('apache-arrow');

function arrowCell(data, index) {
  if (data.nullCount > 0 && !data.getValid(index)) return null;
  const at = data.offset + index;
  const bytes = () => data.values.subarray(Number(data.valueOffsets[index]), Number(data.valueOffsets[index + 1]));
  const type = data.type;
  switch (type.typeId) {
    case arrow.Type.Bool: return String(((data.values[at >> 3] >> (at & 7)) & 1) === 1);
    case arrow.Type.Int: return String(data.values[index]);
    case arrow.Type.Float: return float(data.values[index]);
    case arrow.Type.Decimal: {
      const words = data.values.subarray(4 * index, 4 * index + 4);
      let value = 0n;
      for (let i = 3; i >= 0; --i) value = (value << 32n) | BigInt(words[i] >>> 0);
      return String(BigInt.asIntN(128, value));
    }
    case arrow.Type.Utf8: case arrow.Type.LargeUtf8: return new TextDecoder('utf-8', { fatal: true }).decode(bytes());
    case arrow.Type.Binary: case arrow.Type.LargeBinary: return hex(bytes());
    case arrow.Type.FixedSizeBinary: return hex(data.values.subarray(type.byteWidth * index, type.byteWidth * (index + 1)));
    case arrow.Type.Date: case arrow.Type.Time: case arrow.Type.Timestamp: return String(data.values[index]);
    case arrow.Type.List: {
      const items = [];
      for (let i = data.valueOffsets[index]; i < data.valueOffsets[index + 1]; ++i) items.push(arrowCell(data.children[0], i));
      return items;
    }
  }
  throw new Error(`arrow-rs gave a ${type}`);
}

export function readWithArrow(file) {
  const table = arrow.tableFromIPC(wasm.readParquet(fs.readFileSync(file)).intoIPCStream());
  const rows = [];
  for (const batch of table.batches) {
    for (let row = 0; row < batch.numRows; ++row) {
      rows.push(batch.data.children.map((column) => arrowCell(column, row)));
    }
  }
  return { rows, types: table.schema.fields.map((field) => `${field.name}: ${field.type}`) };
}

// --- comparing

function isSame(found, expected, kind) {
  if (found === null || expected === null) return found === expected;
  if (Array.isArray(expected)) {
    return Array.isArray(found) && found.length === expected.length &&
      found.every((item, i) => isSame(item, expected[i], kind));
  }
  if (kind === 'float32') return Object.is(Number(found), Math.fround(Number(expected)));
  if (kind === 'float64') return Object.is(Number(found), Number(expected));
  return found === expected;
}

/// Throws when a cell differs.
export function compareRows(reader, file, found, expected, columns) {
  const where = `${reader}, ${path.basename(file)}`;
  if (found.length !== expected.length) throw new Error(`${where}: ${found.length} rows, expected ${expected.length}`);
  expected.forEach((row, number) => row.forEach((cell, i) => {
    if (isSame(found[number][i], cell, columns[i].kind)) return;
    throw new Error(`${where}: row ${number}, ${columns[i].name}: ${JSON.stringify(found[number][i])}, ` +
      `expected ${JSON.stringify(cell)}`);
  }));
}
