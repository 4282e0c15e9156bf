// duckdb_reference.cjs ROWS.csv SCRATCH: the rows of encode_bench, written by DuckDB on one thread. Prints
// {"csv": {"bytes_per_second": …, "rows_per_second": …}, …}, per second of CPU time, the median of three runs.
const fs = require('fs');
const path = require('path');
const { DuckDBInstance } = require('@duckdb/node-api');

const [rowsFile, scratch] = process.argv.slice(2);
const columns = `{id: 'BIGINT', tenantId: 'VARCHAR', userId: 'VARCHAR', action: 'VARCHAR', createdAt: 'TIMESTAMPTZ',
  ipAddress: 'VARCHAR', userAgent: 'VARCHAR', details: 'JSON', amount: 'DECIMAL(12,2)', success: 'BOOLEAN',
  durationMs: 'INTEGER'}`;
const outputs = {
  csv: "FORMAT csv, HEADER true",
  jsonl: "FORMAT json",
  json: "FORMAT json, ARRAY true",
  csv_gzip: "FORMAT csv, HEADER true, COMPRESSION gzip",
  csv_zstd: "FORMAT csv, HEADER true, COMPRESSION zstd",
  jsonl_gzip: "FORMAT json, COMPRESSION gzip",
  jsonl_zstd: "FORMAT json, COMPRESSION zstd",
  json_gzip: "FORMAT json, ARRAY true, COMPRESSION gzip",
  json_zstd: "FORMAT json, ARRAY true, COMPRESSION zstd",
};

async function main() {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run("SET threads TO 1; SET TimeZone = 'UTC'");
  await connection.run(
    `CREATE TABLE rows AS SELECT * FROM read_csv('${rowsFile}', header = false, columns = ${columns})`);
  const rows = Number((await connection.runAndReadAll('SELECT count(*) FROM rows')).getRows()[0][0]);

  const results = {};
  const rawBytes = {};
  for (const [name, options] of Object.entries(outputs)) {
    const seconds = [];
    for (let run = 0; run < 3; ++run) {
      const begin = process.cpuUsage();
      await connection.run(`COPY rows TO '/dev/null' (${options})`);
      const used = process.cpuUsage(begin);
      seconds.push((used.user + used.system) / 1e6);
    }
    const format = name.split('_')[0];
    if (!(format in rawBytes)) {
      const file = path.join(scratch, `rows.written.${format}`);
      await connection.run(`COPY rows TO '${file}' (${options})`);
      rawBytes[format] = fs.statSync(file).size;
      fs.unlinkSync(file);
    }
    const median = seconds.sort((a, b) => a - b)[1];
    results[name] = { bytes_per_second: rawBytes[format] / median, rows_per_second: rows / median };
  }
  console.log(JSON.stringify(results));
}

main();
