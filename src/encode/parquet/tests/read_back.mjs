// read_back.mjs EXPECTED FILE...: EXPECTED is {"columns": [{"name", "kind"}], "rows": [[cell]]}, cells spelled as
// readers.mjs does; each file must have exactly these rows in all three readers.
import fs from 'node:fs';
import { compareRows, readWithArrow, readWithDuckdb, readWithHyparquet } from './readers.mjs';

const [expectedFile, ...files] = process.argv.slice(2);
const { columns, rows } = JSON.parse(fs.readFileSync(expectedFile, 'utf8'));
for (const file of files) {
  compareRows('DuckDB', file, await readWithDuckdb(file), rows, columns);
  compareRows('hyparquet', file, await readWithHyparquet(file), rows, columns);
  compareRows('arrow-rs', file, readWithArrow(file).rows, rows, columns);
}
console.log(`${files.length} files, ${rows.length} rows`);
