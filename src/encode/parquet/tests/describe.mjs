// describe.mjs FILE: how DuckDB and arrow-rs understand the columns, as lines of text.
import { query, readWithArrow } from './readers.mjs';

const file = process.argv[2];
for (const row of await query(`SELECT name, type, type_length, repetition_type, converted_type, scale, precision,
    logical_type FROM parquet_schema('${file}')`)) {
  console.log(row.map((value) => String(value ?? '-').replace('\x10', '16')
    .replace('TimeUnit(MILLIS=<null>, MICROS=MicroSeconds(), NANOS=<null>)', 'MICROS')).join(' '));
}
console.log((await query(`DESCRIBE SELECT * FROM '${file}'`)).map(([name, type]) => `${name}: ${type}`).join('\n'));
console.log(readWithArrow(file).types.join('\n'));
