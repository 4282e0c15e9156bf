// read_awkward.cjs EXPECTED FILE...: as read_awkward.py, by JSON.parse, zlib and DuckDB's CSV reader. Numbers are
// compared as the doubles that JavaScript has.
const fs = require('fs');
const util = require('util');
const zlib = require('zlib');
const { DuckDBInstance } = require('@duckdb/node-api');

const [expectedFile, ...files] = process.argv.slice(2);
const expected = JSON.parse(fs.readFileSync(expectedFile, 'utf8'));

function content(file) {
  const data = fs.readFileSync(file);
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return text.decode(file.endsWith('.gz') ? zlib.gunzipSync(data) : data);
}

function compare(file, found, wanted) {
  if (found.length !== wanted.length) throw new Error(`${file}: ${found.length} rows, not ${wanted.length}`);
  wanted.forEach((row, r) => row.forEach((value, c) => {
    if (util.isDeepStrictEqual(found[r][c], value)) return;
    const show = (each) => String(JSON.stringify(each)).slice(0, 200);
    throw new Error(`${file}: row ${r}, column ${c}: ${show(found[r][c])}, not ${show(value)}`);
  }));
}

function checkJson(file, objects) {
  const names = expected.columns.map((column) => column.name);
  for (const object of objects) {
    if (!util.isDeepStrictEqual(Object.keys(object), names)) throw new Error(`${file}: other names`);
  }
  compare(file, objects.map((object) => Object.values(object)),
    expected.rows.map((row) => row.map((cell) => cell && JSON.parse(cell.json))));
}

async function checkCsv(connection, file) {
  const reader = await connection.runAndReadAll(
    `SELECT * FROM read_csv('${file}', header = true, all_varchar = true, auto_detect = false, delim = ',', quote = '"',
       escape = '"', new_line = '\\r\\n', nullstr = '', allow_quoted_nulls = false, max_line_size = 33554432,
       columns = {${expected.columns.map((column) => `'${column.name}': 'VARCHAR'`)}})`);
  // DuckDB's binding takes U+FEFF at the beginning of a cell for a byte order mark and drops it.
  compare(file, reader.getRows(), expected.rows.map((row) => row.map((cell) => cell && cell.csv.replace(/^\uFEFF/, ''))));
}

async function main() {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  for (const file of files) {
    if (file.includes('.csv')) {
      await checkCsv(connection, file);
    } else if (file.includes('.jsonl')) {
      const lines = content(file).split('\n');
      if (lines.pop() !== '') throw new Error(`${file}: no line feed at the end`);
      checkJson(file, lines.map((line) => JSON.parse(line)));
    } else {
      checkJson(file, JSON.parse(content(file)));
    }
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
