// skipping.mjs FILE COLUMN VALUE: looks for the rows with one value of a column, which lie in one row group. Proves that
// readers skip the others: DuckDB gets a copy of the file in which their pages are rubbish, hyparquet is asked which
// bytes it read. Prints the rows found and how much of the data each needed.
import fs from 'node:fs';
import { compressors, duckdb, hyparquet, inMemory, query } from './readers.mjs';

const [file, column, value] = process.argv.slice(2);
const bytes = fs.readFileSync(file);
const metadata = await hyparquet.parquetMetadataAsync(inMemory(bytes));
const places = metadata.row_groups.map((group) => {
  const begin = Number(group.file_offset);
  return { begin, end: begin + Number(group.total_compressed_size) };
});
const total = places.reduce((sum, place) => sum + place.end - place.begin, 0);

// Which row groups have the value: the sound file says it.
const condition = `"${column}" = '${value}'`;
const [[rows]] = await query(`SELECT count(*) FROM '${file}' WHERE ${condition}`);
const holding = new Set((await query(
  `SELECT DISTINCT file_row_number FROM read_parquet('${file}', file_row_number = true) WHERE ${condition}`))
  .map(([row]) => {
    let left = Number(row);
    return metadata.row_groups.findIndex((group) => (left -= Number(group.num_rows)) < 0);
  }));

const brokenFile = file.replace('.parquet', '-broken.parquet');
const broken = Buffer.from(bytes);
places.forEach((place, i) => holding.has(i) || broken.fill(0xee, place.begin, place.end));
fs.writeFileSync(brokenFile, broken);
const [[again]] = await query(`SELECT count(*) FROM '${brokenFile}' WHERE ${condition}`);
if (again !== rows) throw new Error(`DuckDB found ${again} rows of ${rows} when the other row groups were broken`);
let read = true;
await query(`SELECT sum(hash("${column}")) FROM '${brokenFile}'`).catch(() => { read = false; });
if (read) throw new Error('the broken row groups could be read');

const buffer = inMemory(bytes);
const found = [];
const number = /^\d+$/.test(value) ? BigInt(value) : value;
await hyparquet.parquetRead({
  file: buffer, metadata, compressors, rowFormat: 'object', filter: { [column]: { $eq: number } }, filterStrict: false,
  usePageIndex: true, useBloomFilters: true, useOffsetIndex: true, onComplete: (all) => found.push(...all),
});
if (BigInt(found.length) !== rows) throw new Error(`hyparquet found ${found.length} rows of ${rows}`);
let asked = 0;
for (const [begin, end] of buffer.asked) {
  for (const place of places) asked += Math.max(0, Math.min(end, place.end) - Math.max(begin, place.begin));
}
console.log(`${rows} rows in ${holding.size} of ${places.length} row groups; hyparquet read less than ` +
  `${Math.ceil(20 * asked / total) * 5} % of the pages`);
for (const row of await query(`SELECT bloom_filter_excludes, count(*) FROM parquet_bloom_probe('${file}', '${column}',
    '${value}') GROUP BY ALL ORDER BY ALL`).catch((problem) => [[problem.message]])) {
  console.log(`bloom filter excludes: ${row.join(' ')}`);
}
